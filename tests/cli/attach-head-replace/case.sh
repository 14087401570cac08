# attach-head --replace: another module in a slot, checked as the next version of what stood there and at the seams around it;
# everything else stays byte for byte. What does not fit exits 1 and writes nothing.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
train() { modnet train-head --features "${FEATURES:-train.arrow}" --name "$1" --version "$2" --strength "$3" -o "$4" -q >/dev/null; }
train class 1.0.1 10 class-2.mnet
says modnet attach-head model.mnet class-2.mnet --replace class -o model-2.mnet
modnet verify model-2.mnet -q --parent tiny --parent class-2.mnet --parent model.mnet >/dev/null && echo "its lineage is borne out"
python3 - <<'END'
model, whole = open("model-2.mnet", "rb").read(), open("model.mnet", "rb").read()
for part in ("tiny/encoder.mnet", "tiny/backbone.mnet", "class.mnet", "class-2.mnet"):
    data = open(part, "rb").read()
    print(part, whole.count(data), "before,", model.count(data), "now")
END
modnet extract model-2.mnet class -o part.mnet -q >/dev/null && cmp part.mnet class-2.mnet && echo "extract gives it back"
modnet attach-head tiny/backbone.mnet class-2.mnet --encoder tiny/encoder.mnet -o fresh.mnet -q >/dev/null
for model in model-2 fresh; do modnet predict $model.mnet test.tsv --csv >$model.csv; done
cmp model-2.csv fresh.csv && echo "it answers as one made afresh"

modnet convert tiny/backbone.mnet --dtype bf16 -o small.mnet -q >/dev/null
says modnet attach-head model.mnet small.mnet --replace backbone -o model-small.mnet
modnet inspect model-small.mnet --json | python3 -c '
import json, sys
print([trailer["kind"] for trailer in json.load(sys.stdin)["trailers"]])'
says modnet attach-head model.mnet small.mnet --replace backbone -o x.mnet --space-tolerance 0.000001

echo "== what is refused"
says modnet attach-head model-2.mnet class.mnet --replace class -o x.mnet
says modnet attach-head model.mnet class-2.mnet --replace class -o x.mnet --version 1.0.0
train class 1.0.0 10 same.mnet
says modnet attach-head model.mnet same.mnet --replace class -o x.mnet
sed 's/\tverb\t/\tdoing\t/' train.tsv >other.tsv
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet other.tsv --text text --label class -o other.arrow -q
FEATURES=other.arrow train class 2.0.0 1 labels.mnet
says modnet attach-head model.mnet labels.mnet --replace class -o x.mnet
TINY_SEED=1 tiny_model foreign --version 1.1.0 --name tiny
modnet embed foreign/backbone.mnet --encoder foreign/encoder.mnet train.tsv --text text --label class -o foreign.arrow -q
FEATURES=foreign.arrow train class 1.1.0 1 foreign.mnet
says modnet attach-head model.mnet foreign.mnet --replace class -o x.mnet
TINY_ORDER=reversed tiny_model words --version 1.1.0 --name tiny
says modnet attach-head model.mnet words/encoder.mnet --replace encoder -o x.mnet
says modnet attach-head model.mnet class-2.mnet --replace length -o x.mnet
says modnet attach-head model.mnet tiny/encoder.mnet --replace class -o x.mnet
says modnet attach-head model.mnet class-2.mnet --replace class --replace encoder -o x.mnet
says modnet attach-head class.mnet class-2.mnet --replace class -o x.mnet
[ -e x.mnet ] || echo "nothing was written"
