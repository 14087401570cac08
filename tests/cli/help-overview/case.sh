# The overview names every command once, on stdout.
modnet --help | head -4
modnet --help | grep -c '^  capabilities '
modnet help >a; modnet -h >b; modnet --help >c
cmp a b && cmp b c
