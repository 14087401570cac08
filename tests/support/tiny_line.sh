# For command-line cases: the line on a tiny model (make_tiny_model.py) and made-up texts (make_texts.sh), in the current folder.
. "$SOURCE/tests/support/make_texts.sh"

# tiny_model DIR [IMPORT OPTION…]: encoder.mnet and backbone.mnet in DIR, of the model with seed 0 unless TINY_SEED says.
tiny_model() {
  [ -d "model${TINY_SEED:-0}$TINY_ORDER" ] ||
    python3 -B "$SOURCE/tests/support/make_tiny_model.py" "model${TINY_SEED:-0}$TINY_ORDER" "${TINY_SEED:-0}" "$TINY_ORDER"
  modnet import "model${TINY_SEED:-0}$TINY_ORDER" -o "$1" "${@:2}" -q >/dev/null
}

# tiny_line: tiny/ (the model), train.tsv and test.tsv, train.arrow (embeddings with labels), class.mnet (a head), model.mnet.
tiny_line() {
  tiny_model tiny
  make_texts 90 >train.tsv
  make_texts 48 >test.tsv
  modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet train.tsv --text text --label class --id id -o train.arrow -q
  modnet train-head --features train.arrow --name class --strength 1 -o class.mnet -q >/dev/null
  modnet attach-head tiny/backbone.mnet class.mnet --encoder tiny/encoder.mnet -o model.mnet -q >/dev/null
}

# same_bits BACKBONE DATA: says whether its embeddings of DATA, prepared by tiny/encoder.mnet, are the same bytes under every code path, and
# on one thread in small batches.
same_bits() {
  local backbone=$1 data=$2 first target same=yes
  rows() { modnet embed "$backbone" --encoder tiny/encoder.mnet "$data" -o - -q "$@" | sha256sum; }
  first=$(rows)
  for target in $(modnet capabilities --json | python3 -c 'import json, sys; print(*json.load(sys.stdin)["cpu"]["targets"])'); do
    [ "$(MODNET_CPU=$target rows)" = "$first" ] || { echo "other bytes on $target"; same=; }
  done
  [ "$(rows --threads 1 --batch-size 3)" = "$first" ] || { echo "other bytes in small batches"; same=; }
  [ "$first" != "$(sha256sum </dev/null)" ] || { echo "no bytes at all"; same=; }
  [ -z "$same" ] || echo "the same bytes everywhere"
}

# says COMMAND…: runs it, then prints how it ended; what it says on stderr goes to stdout, in its place in the story.
says() {
  "$@" 2>&1
  echo "exit $?"
}
