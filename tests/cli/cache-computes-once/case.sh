# The backbone runs once on an item, whichever of embed, eval and predict comes first and whatever composite it is in, and the
# bits are those without a cache. When every item is found, no weights are needed.
. "$SOURCE/tests/support/tiny_line.sh"
set -e
tiny_line
# What a result says of its cache.
look_ups() {
  python3 -c '
import json, sys
cache = json.load(sys.stdin)["cache"]
print(sys.argv[1] + ":", *(f"{name} {cache[name]}" for name in ("hits", "misses", "stored", "damaged", "evicted")), "in", cache["path"])' "$1"
}
embed() { modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet "$@"; }
embed test.tsv --label class --id id -o plain.arrow
modnet eval model.mnet test.tsv --label class --json >plain.json
modnet predict model.mnet test.tsv --id id >plain.jsonl

echo "-- one after the other"
embed test.tsv --label class --id id --cache c --json -o cold.arrow | look_ups "embed"
embed test.tsv --label class --id id --cache c --json -o warm.arrow | look_ups "embed again"
cmp plain.arrow cold.arrow && cmp plain.arrow warm.arrow && echo "the same bytes"
modnet train-head --features train.arrow --name again --strength 2 -o again.mnet -q >/dev/null
modnet attach-head tiny/backbone.mnet class.mnet again.mnet --encoder tiny/encoder.mnet -o two.mnet -q >/dev/null
modnet eval model.mnet test.tsv --label class --cache c --json >cached.json
look_ups "eval model" <cached.json
modnet eval two.mnet test.tsv --label class --output-port class --cache c --json >two.json
look_ups "eval another composite" <two.json
modnet predict two.mnet test.tsv --id id --cache c -o two.jsonl --json | look_ups "predict two answers"
modnet predict model.mnet two.mnet test.tsv --id id --cache c -o three.jsonl --json | look_ups "predict with two models"
modnet predict model.mnet test.tsv --id id --cache c >cached.jsonl
cmp plain.jsonl cached.jsonl
python3 - <<'END'
import json
plain, cached = (json.load(open(name)) for name in ("plain.json", "cached.json"))
del cached["cache"]
print("eval says the same" if plain == cached else "eval differs")
END
modnet embed model.mnet test.tsv --label class --id id --cache c --json -o composite.arrow | look_ups "embed a composite"

echo "-- no weights"
python3 - <<'END'
import pathlib
bytes_ = bytearray(pathlib.Path("tiny/backbone.mnet").read_bytes())
bytes_[3000] ^= 1  # in a tensor
pathlib.Path("damaged.mnet").write_bytes(bytes_)
END
modnet embed damaged.mnet --encoder tiny/encoder.mnet test.tsv --label class --id id --cache c -o damaged.arrow
python3 -B "$SOURCE/tests/support/arrow_rows.py" plain.arrow >plain.rows
python3 -B "$SOURCE/tests/support/arrow_rows.py" damaged.arrow | cmp - plain.rows && echo "the same rows"
says modnet embed damaged.mnet --encoder tiny/encoder.mnet test.tsv --cache other -o no.arrow || true
ls other 2>/dev/null || echo "nothing is kept"

echo "-- other keys"
for port in token_embeddings hidden.1; do
  embed test.tsv --port $port -o port.arrow -f
  embed test.tsv --port $port --cache c --json -o cold.arrow -f | look_ups $port
  embed test.tsv --port $port --cache c --json -o warm.arrow -f | look_ups "$port again"
  cmp port.arrow cold.arrow && cmp port.arrow warm.arrow
done
modnet encode tiny/encoder.mnet test.tsv -o test.tokens.arrow
modnet embed tiny/backbone.mnet test.tokens.arrow --cache c --json -o tokens.arrow | look_ups "tokens"
modnet embed tiny/backbone.mnet test.tokens.arrow --cache c --json -o tokens.arrow -f | look_ups "tokens again"
TINY_SEED=3 tiny_model other_tiny
modnet embed other_tiny/backbone.mnet --encoder other_tiny/encoder.mnet test.tsv --cache c --json -o other.arrow | look_ups "another backbone"
head -n 3 test.tsv | cat - <(sed -n 2,3p test.tsv) >twice.tsv
embed twice.tsv --cache twice --json -o twice.arrow | look_ups "each text twice"
modnet eval class.mnet plain.arrow --cache c --json | look_ups "a head alone"

echo "-- where"
mkdir home
HOME=$PWD/home embed twice.tsv --cache auto --json -o a.arrow | look_ups auto | sed "s|$PWD|.|"
XDG_CACHE_HOME=$PWD/xdg MODNET_CACHE=auto MODNET_CACHE_SIZE=2M embed twice.tsv --json -o b.arrow | look_ups XDG | sed "s|$PWD|.|"
MODNET_CACHE=c embed test.tsv --cache off --json -o c.arrow | grep -c cache || true
MODNET_CACHE=v embed twice.tsv --policy vendor --json -o d.arrow 2>/dev/null | grep -c '"cache"' || true
[ ! -e v ]
embed twice.tsv --cache c --dry-run -o e.arrow -q
embed test.tsv --cache c -v -o f.arrow 2>&1 | grep cache
