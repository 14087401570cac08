# A slow producer sees its results: the first answer is there while the second text has not been written yet.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
mkfifo texts answers
answer() { IFS= read -r -t 60 line <&4 && echo "${line%%,\"class*}"; }
talk() {
  modnet "$@" <texts >answers &
  exec 3>texts 4<answers
  echo "red green blue" >&3
  answer && echo "answered before the next text"
  echo "run jump" >&3
  answer && echo "and the next"
  exec 3>&-
  cat <&4
  wait $!
  echo "exit $?"
}
talk predict model.mnet - --jsonl
# The same through three processes.
modnet encode tiny/encoder.mnet - <texts | modnet embed tiny/backbone.mnet - | modnet predict class.mnet - --jsonl >answers &
exec 3>texts 4<answers
echo "one two" >&3
answer && echo "answered through a pipe of three"
exec 3>&-
wait $!
echo "exit $?"
