# Streams that were cut, changed or come from elsewhere: a documented exit, one line that says what and where, no output file.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
TINY_ORDER=reversed tiny_model other
modnet encode tiny/encoder.mnet train.tsv --label class --id id -o - >tokens.stream
modnet embed tiny/backbone.mnet tokens.stream --format arrow -o whole.arrow
size=$(stat -c %s tokens.stream)
for share in 0 1 30 60 95; do
  head -c $((size * share / 100)) tokens.stream | says modnet embed tiny/backbone.mnet - --format arrow -o cut.arrow
done
head -c $((size - 8)) tokens.stream | says modnet embed tiny/backbone.mnet - -o cut.arrow
head -c $((size - 8)) tokens.stream >cut.arrow
says modnet embed tiny/backbone.mnet cut.arrow -o from-cut.arrow
rm cut.arrow
head -c 9000 whole.arrow >short.arrow
says modnet train-head --features short.arrow --name class -o short.mnet
# One flipped bit in the values of the last rows is found by the closing digest.
python3 - <<'END'
data = bytearray(open("tokens.stream", "rb").read())
at = data.rindex(b"verb") + 1  # a label of the last rows
data[at] ^= 1
open("flipped.stream", "wb").write(data)
END
says modnet embed tiny/backbone.mnet - -o flipped.arrow <flipped.stream
python3 -B "$SOURCE/tests/support/arrow_rows.py" tokens.stream --unseal >unsealed.stream
says modnet embed tiny/backbone.mnet - -o unsealed.arrow <unsealed.stream
python3 -B "$SOURCE/tests/support/arrow_rows.py" whole.arrow >whole.rows
python3 -B "$SOURCE/tests/support/arrow_rows.py" unsealed.arrow | cmp - whole.rows && echo "an unsealed stream holds the same rows"
modnet encode other/encoder.mnet train.tsv -o - | says modnet embed tiny/backbone.mnet - -o other.arrow
says modnet embed tiny/backbone.mnet --encoder other/encoder.mnet train.tsv -o other.arrow
echo "red green" | says modnet embed tiny/backbone.mnet - -o text.arrow
echo "red green" | says modnet predict class.mnet -
# A producer that failed before its first byte: no empty text, but a stream that is missing.
: | says modnet embed tiny/backbone.mnet - -o empty.arrow
: | says modnet predict class.mnet -
modnet encode tiny/encoder.mnet train.tsv -o - | says modnet predict class.mnet -
says modnet predict class.mnet whole.arrow --encoder tiny/encoder.mnet
says modnet embed tiny/backbone.mnet train.arrow -o wrong.arrow
: | says modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet - -o nothing.arrow
says modnet train-head --features nothing.arrow --name class -o nothing.mnet
ls cut.arrow empty.arrow from-cut.arrow short.mnet flipped.arrow other.arrow text.arrow wrong.arrow nothing.mnet 2>/dev/null || echo "nothing left behind"
