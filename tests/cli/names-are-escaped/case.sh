# A file's name cannot drive the terminal.
modnet inspect "$(printf 'a\033[2Jb\nc.mnet')"
