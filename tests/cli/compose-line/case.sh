# The image line on small pictures: recipes with a made-up picture size, IDX with and without gzip, logistic and ridge
# classification, regression, a module by file. The same recipe gives the same bytes; another preparation is refused.
set -e
. "$SOURCE/tests/support/tiny_line.sh"
. "$SOURCE/tests/support/make_recipes.sh"
make_recipes
modnet compose pixels.toml -o pixels.mnet
modnet compose features.toml -o features.mnet
modnet compose features.toml -o again.mnet --threads 1 -q >/dev/null
cmp features.mnet again.mnet && echo "compose gives the same bytes"
python3 - <<'END'
import gzip, struct
rows = 60
data, kinds = bytearray(), bytearray()
for i in range(rows):
    kinds.append(i % 3)
    for y in range(6):
        for x in range(6):
            data.append((x > 2, y > 2, x == y)[i % 3] * 180 + (x * 7 + y * 13 + i * 29) % 50)
open("p-idx3-ubyte", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, rows, 6, 6) + data)
gzip.open("p-idx3-ubyte.gz", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, rows, 6, 6) + data)
gzip.open("k-idx1-ubyte.gz", "wb").write(struct.pack(">4BI", 0, 0, 8, 1, rows) + kinds)
END
modnet encode pixels.mnet p-idx3-ubyte --labels k-idx1-ubyte.gz -o plain.arrow
modnet encode pixels.mnet p-idx3-ubyte.gz --labels k-idx1-ubyte.gz -o packed.arrow
cmp plain.arrow packed.arrow && echo "gzip changes nothing"
modnet embed features.mnet plain.arrow -o features.arrow
modnet embed features.mnet --encoder pixels.mnet p-idx3-ubyte.gz --labels k-idx1-ubyte.gz -o direct.arrow
cmp features.arrow direct.arrow && echo "prepared or raw: the same features"
for solver in logistic ridge; do
  modnet train-head --features features.arrow --solver $solver --name $solver -o $solver.mnet -q >/dev/null
done
modnet train-head --features features.arrow --kind regression --name amount -o amount.mnet -q >/dev/null
modnet attach-head features.mnet logistic.mnet ridge.mnet amount.mnet --encoder pixels.mnet -o model.mnet
modnet eval model.mnet p-idx3-ubyte --labels k-idx1-ubyte.gz --json | python3 -c '
import json, sys
for name, answer in json.load(sys.stdin)["answers"].items():
    figures = answer["figures"]
    print(name, answer["kind"], figures["accuracy" if "accuracy" in figures else "r2"]["value"] > 0.9, "log_loss" in figures)'
modnet compose by-file.toml -o by-file.mnet
modnet verify by-file.mnet >/dev/null
modnet embed by-file.mnet p-idx3-ubyte --labels k-idx1-ubyte.gz -o by-file.arrow
modnet eval ridge.mnet by-file.arrow --json | python3 -c 'import json, sys; print(*json.load(sys.stdin)["answers"])'
sed 's/^scale = .*/scale = 0.5/' pixels.toml >loud.toml
modnet compose loud.toml -o loud.mnet -q >/dev/null
set +e
says modnet embed features.mnet --encoder loud.mnet p-idx3-ubyte -o wrong.arrow
modnet encode loud.mnet p-idx3-ubyte -o loud.arrow
says modnet embed features.mnet loud.arrow -o wrong.arrow
says modnet embed features.mnet p-idx3-ubyte -o wrong.arrow
says modnet compose features.toml --dry-run -o no.mnet
sed 's/"flatten"/"flaten"/' features.toml >wrong.toml && says modnet compose wrong.toml -o wrong.mnet
sed 's/^out = .*/out = -4/' features.toml >wrong.toml && says modnet compose wrong.toml -o wrong.mnet
sed 's/^kind = .*/kind = "head"/' features.toml >wrong.toml && says modnet compose wrong.toml -o wrong.mnet
sed '/^\[space/,$d' features.toml >wrong.toml && says modnet compose wrong.toml -o wrong.mnet
sed 's/pixels.mnet/nowhere.mnet/' by-file.toml >wrong.toml && says modnet compose wrong.toml -o wrong.mnet
sed 's/pixels.mnet/loud.mnet/' by-file.toml >wrong.toml && says modnet compose wrong.toml -o wrong.mnet
ls wrong.* no.mnet 2>/dev/null | grep -v toml || echo "nothing left behind"
