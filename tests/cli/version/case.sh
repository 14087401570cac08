# The version is one line, and costs no more than a few milliseconds.
modnet --version
