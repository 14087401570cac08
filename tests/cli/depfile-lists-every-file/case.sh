# What --depfile lists is what the system saw being opened: every file under this folder that a command read, and no other.
. "$SOURCE/tests/support/tiny_line.sh"
strace -f -o /dev/null true 2>/dev/null || { echo "skipped: no strace"; exit 77; }
set -e -o pipefail
tiny_line
modnet compose "$SOURCE/examples/fashion/pixels.toml" -o pixels.mnet -q >/dev/null
cp "$SOURCE"/examples/fashion/*.toml .
printf 'features = "train.arrow"\nname = "class"\nstrength = ["1"]\n' >head.toml
compare() {  # NAME COMMAND…
  local name=$1
  shift
  strace -f -qq -e trace=openat,open -e status=successful -o trace modnet "$@" -q --depfile "$name.d" -f >/dev/null
  sed -n 's/^.*open\(at\)\?(\(AT_FDCWD, \)\?"\([^"]*\)", O_RDONLY|O_CLOEXEC).*/\3/p' trace |
    while read -r path; do case $path in /*) ;; *) [ -f "$path" ] && realpath --relative-to=. "$path" ;; esac; done | sort -u >opened
  sed -n 's/^  \(.*[^ \\]\)\( \\\)\?$/\1/p' "$name.d" | sort >listed
  diff opened listed && echo "$name: $(wc -l <listed) files"
}
compare import import model0 -o again
compare encode encode tiny/encoder.mnet test.tsv --text text -o test.tokens.arrow
compare embed embed tiny/backbone.mnet --encoder tiny/encoder.mnet test.tsv --text text -o test.arrow
compare compose compose ./features.toml -o features.mnet
compare train-head train-head head.toml -o head.mnet
compare attach-head attach-head tiny/backbone.mnet head.mnet --encoder tiny/encoder.mnet -o model-2.mnet
compare predict predict model.mnet test.tsv -o answers.jsonl
