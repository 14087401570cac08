# A missing argument is a usage error that says which.
modnet inspect
