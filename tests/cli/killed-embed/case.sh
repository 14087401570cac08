# kill -9 in the middle of embed: no output file under its name, an old one stays as it was, and the next run is as if nothing
# had been, also when two write at once.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
embed() { modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet "$@"; }
killed() {
  mkfifo texts
  modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet - -o "$1" -f <texts 2>/dev/null &
  exec 3>texts
  for i in $(seq 300); do echo "red green blue one two three"; done >&3
  sleep 0.2
  kill -9 $!
  wait $! 2>/dev/null
  echo "exit $?"
  exec 3>&-
  rm texts
}
killed out.arrow 2>/dev/null
ls out.arrow 2>/dev/null || echo "nothing under the name"
embed train.tsv -o out.arrow
cp out.arrow old.arrow
killed out.arrow 2>/dev/null
cmp out.arrow old.arrow && echo "the old file is as it was"
embed test.tsv -o out.arrow -f
embed test.tsv -o fresh.arrow
cmp out.arrow fresh.arrow && echo "the next run works"
ls -A | grep -v -e '^[a-z0-9]*[.]\(arrow\|tsv\|mnet\)$' -e '^model0$' -e '^tiny$' || echo "no temporary file is left"
{ embed train.tsv -o race.arrow -f & embed train.tsv -o race.arrow -f & wait; } 2>busy  # the second may find the first at work
cmp race.arrow old.arrow && echo "two writers: one whole file"
grep -v "^modnet: race.arrow: WRITER_BUSY: " busy || true
