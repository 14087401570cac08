# The whole line on a tiny sentence-transformers folder: import, encode, embed, train-head, attach-head, predict, eval, inspect,
# verify. As files and as a pipe the answers are the same bytes; any batch size and number of threads gives the same rows.
model=$MODNET_SHARED/parity/models/st_mean_norm-s0/model
[ -d "$model" ] || { echo "skipped: no reference cases"; exit 77; }
. "$SOURCE/tests/support/make_texts.sh"
set -e
make_texts 120 >train.tsv
make_texts 60 >test.tsv
modnet import "$model" -o tiny/ --name tiny -q >/dev/null
modnet encode tiny/encoder.mnet train.tsv --text text --label class -o train.tokens.arrow
modnet embed tiny/backbone.mnet train.tokens.arrow -o train.arrow
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet train.tsv --text text --label class -o direct.arrow
cmp train.arrow direct.arrow && echo "embed gives the same bytes from tokens and from texts"
for options in "--batch-size 1" "--batch-size 7 --threads 2" "--threads 1"; do
  modnet embed tiny/backbone.mnet train.tokens.arrow $options -o again.arrow -f
  cmp train.arrow again.arrow
done
echo "embed gives the same bytes for any batch size and number of threads"
modnet train-head --features train.arrow --kind classification --name class -o class.mnet >/dev/null
modnet train-head --features train.arrow --kind classification --name class -o class2.mnet --threads 1 >/dev/null
cmp class.mnet class2.mnet && echo "train-head gives the same bytes"
modnet attach-head tiny/backbone.mnet class.mnet --encoder tiny/encoder.mnet -o model.mnet >/dev/null
modnet verify model.mnet >/dev/null
modnet inspect model.mnet | head -n 1
modnet predict model.mnet test.tsv --text text --csv >files.csv
modnet encode tiny/encoder.mnet test.tsv --text text -o - | modnet embed tiny/backbone.mnet - -o - |
  modnet predict class.mnet - --csv >pipe.csv
cmp files.csv pipe.csv && echo "a pipe and a composite answer alike"
wc -l <files.csv
modnet eval model.mnet test.tsv --text text --label class --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
answer = d["answers"]["class"]
accuracy = answer["figures"]["accuracy"]
low, high = accuracy["interval_95"]
print(d["schema"], answer["rows"], answer["classes"], low <= accuracy["value"] <= high, accuracy["value"] > accuracy["baseline"])'
