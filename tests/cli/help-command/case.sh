# Both ways to a command's help print the same page; it fits in 80 columns and holds description, options, examples.
modnet help capabilities >a
modnet capabilities --help >b
modnet capabilities -h >c
cmp a b && cmp b c && cat a
awk 'length($0) > 80 { print "too wide: " $0 }' a
