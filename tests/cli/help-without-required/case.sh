# --help needs no other argument.
modnet inspect --help | head -1
modnet verify -h | head -1
