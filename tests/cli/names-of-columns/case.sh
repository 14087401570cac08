# Columns may have any name, modules and ports may not; the separators of a table in texts, ids and labels are kept apart.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_model tiny
python3 - <<'END'
import csv, json
rows = [("i,%d" % i, ["red green", "run, jump", 'two "three"'][i % 3], ["warm, bright", 'the "fast"', "2"][i % 3]) for i in range(30)]
with open("odd.csv", "w", newline="") as out:
    table = csv.writer(out)
    table.writerow(["my id", "the text", "my label"])
    table.writerows(rows)
with open("odd.jsonl", "w") as out:
    for row in rows:
        out.write(json.dumps(dict(zip(["my id", "the text", "my label"], row))) + "\n")
END
for kind in csv jsonl; do
  modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet odd.$kind --text "the text" --label "my label" --id "my id" -o odd.$kind.arrow
done
cmp odd.csv.arrow odd.jsonl.arrow && echo "CSV and JSON lines say the same"
modnet train-head --features odd.csv.arrow --name odd --strength 10 -o odd.mnet -q
modnet attach-head tiny/backbone.mnet odd.mnet --encoder tiny/encoder.mnet -o model.mnet -q
modnet predict model.mnet odd.csv --text "the text" --id "my id" | head -3
modnet predict model.mnet odd.csv --text "the text" --id "my id" --csv | head -4
modnet eval model.mnet odd.jsonl --text "the text" --label "my label" --json | python3 -c '
import json, sys
for name, answer in json.load(sys.stdin)["answers"].items(): print(name, answer["figures"]["accuracy"]["value"])'
says modnet eval model.mnet odd.jsonl --text "the txt" --label "my label"
says modnet eval model.mnet odd.csv --label "my label"
says modnet train-head --features odd.csv.arrow --name "my head" -o no.mnet
says modnet attach-head tiny/backbone.mnet odd.mnet --name "a/b" -o no.mnet
. "$SOURCE/tests/support/make_recipes.sh"
make_recipes
sed 's/^name = "image"/name = "my image"/' pixels.toml >named.toml
says modnet compose named.toml -o no.mnet
sed 's/^name = "pixels"/name = "..\/pixels"/' pixels.toml >named.toml
says modnet compose named.toml -o no.mnet
sed -e 's/slot = .*/slot = "a slot"/' by-file.toml >named.toml
modnet compose pixels.toml -o pixels.mnet -q >/dev/null
modnet compose features.toml -o features.mnet -q >/dev/null
says modnet compose named.toml -o no.mnet
ls no.mnet 2>/dev/null || echo "nothing left behind"
