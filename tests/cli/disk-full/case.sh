# A full disk under stdout: exit 5 and one line.
modnet capabilities >/dev/full
