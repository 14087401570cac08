# Odd numbers of things: no items, one item, equal features, a class for each item,
# one class in a thousand, texts without a known letter, empty texts, pictures of one pixel and of none.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
embed() { modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet "$@" -q; }
train() { says modnet train-head --name h "$@" -f -o h.mnet -q; }
printf 'text\tlabel\n' >none.tsv
printf 'text\tlabel\nred\ta\n' >one.tsv
printf 'text\tlabel\nred\ta\nblue\tb\n' >two.tsv
{ printf 'text\tlabel\n'; for i in $(seq 12); do printf 'red\t%s\n' $((i % 2)); done; } >equal.tsv
{ printf 'text\tlabel\n'; for i in a b c d e f g h; do printf 'red green %s\t%s\n' $i $i; done; } >many.tsv
{ printf 'text\tlabel\n'; for i in $(seq 999); do printf 'red green\tcommon\n'; done; printf 'fly\trare\n'; } >rare.tsv
{ printf 'text\tlabel\n'; printf '\ta\n☃☃☃\tb\n   \ta\n中\tb\n'; } >unseen.tsv
for name in none one two equal many rare unseen; do
  embed $name.tsv --label label -o $name.arrow
  echo "$name:"
  train --features $name.arrow
  train --features $name.arrow --solver ridge
done
printf 'text\tlabel\nred\t1\nblue\t2\ngreen\tnan\n' >odd.tsv
embed odd.tsv --label label -o odd.arrow
train --features odd.arrow --kind regression
printf 'text\tlabel\nred\t5\nblue\t5\ngreen\t5\nfly\t5\n' >flat.tsv
embed flat.tsv --label label -o flat.arrow
train --features flat.arrow --kind regression
says modnet predict model.mnet none.tsv --csv
modnet predict model.mnet unseen.tsv | wc -l
says modnet eval model.mnet none.tsv --label label
printf 'text\tlabel\nred green\tcolour\n' >single.tsv
modnet eval model.mnet single.tsv --label label --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["answers"]["class"]["rows"])'
# Pictures.
cat >dot.toml <<'R'
name = "dot"
kind = "encoder"
[input]
name = "image"
dtype = "u8"
dims = [1, 1]
semantic = "image"
[[layer]]
op = "scale"
scale = 0.5
offset = 0.0
[output]
name = "pixels"
semantic = "features"
R
says modnet compose dot.toml -o dot.mnet -q
python3 -c '
import struct
open("dot.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 2, 1, 1) + bytes([7, 9]))
open("empty.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 2, 0, 0))
open("none.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 0, 1, 1))
open("huge.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 2 ** 32 - 1, 1, 1))
open("long.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 1, 1, 1) + bytes(9))'
for name in dot empty none huge long; do says modnet encode dot.mnet $name.idx -o $name.pixels.arrow; done
sed 's/1, 1/0, 1/' dot.toml >zero.toml
says modnet compose zero.toml -o zero.mnet
sed 's/0.5/nan/' dot.toml >nan.toml
says modnet compose nan.toml -o nan.mnet
sed 's/1, 1/4000000000, 4000000000/' dot.toml >bomb.toml
says modnet compose bomb.toml -o bomb.mnet
ls empty.pixels.arrow huge.pixels.arrow long.pixels.arrow zero.mnet nan.mnet bomb.mnet 2>/dev/null || echo "nothing left behind"
