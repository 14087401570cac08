# A conversion that a user's data chooses and judges: figures and the change of a head in print, in the document, in the file's evidence and on
# its card; the same bytes on any number of threads and from a pipe; what does not fit the backbone, and what has nothing to do, is refused.
. "$SOURCE/tests/support/tiny_line.sh"
set -e -o pipefail
tiny_line
make_texts 300 >texts.tsv
modnet encode tiny/encoder.mnet texts.tsv --text text --label class -o data.arrow
convert() { modnet convert tiny/backbone.mnet --dtype int8 "$@"; }
convert --calibrate data.arrow --head class.mnet --label class -o data.mnet
modnet verify data.mnet >/dev/null
convert --calibrate data.arrow --head class.mnet -o again.mnet --threads 1 --json >again.json
cmp data.mnet again.mnet && echo "the same bytes on 1 thread"
modnet encode tiny/encoder.mnet texts.tsv --text text --label class -o - -q | convert --calibrate - --head class.mnet --threads 2 -o piped.mnet -q
cmp data.mnet piped.mnet && echo "the same bytes from a pipe, on 2 threads"
convert -o probes.mnet -q
modnet inspect data.mnet | grep '^evidence'
# What the file says is what was measured, and can be measured again, on the items that were drawn to judge.
modnet embed tiny/backbone.mnet data.arrow -o f32.arrow -q
modnet embed data.mnet data.arrow -o int8.arrow -q
modnet inspect data.mnet --json >inspect.json
modnet card data.mnet --json >card.json
python3 -B - <<'END'
import json
import math
import struct
import subprocess

document, shown = json.load(open("again.json")), json.load(open("inspect.json"))
card = json.load(open("card.json"))["card"]["extra"]
data = document["data"]
print({key: data[key] for key in ("data", "rows", "chosen_on", "judged_on")})
records = [one for one in shown["evidence"] if one["on_data"]]
print([(one["port"], one["how"]) for one in shown["evidence"]])
print("figures in the file", [one["measure"] for one in records] == [one["measure"] for one in data["spaces"]], "items", {one["items"] for one in records} == {data["items"]})
backbone = json.loads(subprocess.run(["modnet", "inspect", "tiny/backbone.mnet", "--json"], capture_output=True, check=True).stdout)
print("beside the old module's spaces", sorted(one["root"] for one in records) == sorted(one["fingerprint"] for one in backbone["spaces"]))
print("on the card", card["on_data"]["items"] == data["items"], card["on_data"]["heads"] == data["heads"], card["quantisation"]["kept_f32"])

def draw(row):
    """Philox4x32-10 of the row under seed 0 and the stream "cali": the 128 least of 300 choose."""
    counter, key = [row, 0, 0x63616C69, 0], [0, 0]
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(b >> 32) ^ counter[1] ^ key[0], b & 0xFFFFFFFF, (a >> 32) ^ counter[3] ^ key[1], a & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter[1] << 32 | counter[0]

judges = sorted(sorted(range(300), key=draw)[128:])
lines = open("texts.tsv").read().splitlines()
open("judged.tsv", "w").write("".join(line + "\n" for line in [lines[0]] + [lines[1 + row] for row in judges]))
run = subprocess.run(["modnet", "eval", "model.mnet", "judged.tsv", "--text", "text", "--label", "class", "--replicates", "0", "--json"], capture_output=True, check=True)
accuracy = json.loads(run.stdout)["answers"]["class"]["figures"]["accuracy"]["value"]
head = data["heads"][0]
print(head["answer"], head["metric"], "as eval says", head["before"] == accuracy, abs(head["after"] - head["before"]) < 0.02, head["same_answers"] > 0.98)

def embeddings(name):
    """The one place in an Arrow file where 300 rows of 12 numbers all have length 1."""
    data = open(name, "rb").read()
    for at in range(0, len(data) - 14400 + 1, 8):
        found = [struct.unpack_from("<12f", data, at + 48 * row) for row in (0, 299)]
        if all(abs(math.hypot(*one) - 1) < 1e-5 for one in found):
            return [struct.unpack_from("<12f", data, at + 48 * row) for row in judges]
    raise SystemExit("no embeddings in " + name)

a, b = embeddings("f32.arrow"), embeddings("int8.arrow")
pairs = [math.dist(a[i], a[j]) for i in range(len(a)) for j in range(i)]
moved = [math.dist(x, y) / (sum(pairs) / len(pairs)) for x, y in zip(a, b)]
cosines = [sum(p * q for p, q in zip(x, y)) / math.hypot(*x) / math.hypot(*y) for x, y in zip(a, b)]
want = {"largest": max(moved), "mean": sum(moved) / len(moved), "cosine_min": min(cosines), "cosine_mean": sum(cosines) / len(cosines)}
figures = next(one["measure"] for one in data["spaces"] if one["port"] == "embedding")
print("figures again", all(abs(figures[key] - value) < 1e-9 for key, value in want.items()))
END
# The rule of spaces asks the probes alone, whatever the data says: the stream's recorded evidence lets the head in.
modnet embed data.mnet data.arrow -o - -q | modnet predict class.mnet - -q 2>&1 | wc -l
# Under a tight limit the data decides which layers stay f32; what is stored as bf16 is measured, not chosen.
convert --calibrate data.arrow --int8-error 0.015 -o some.mnet --json | python3 -c '
import json, sys
some = json.load(sys.stdin)
print("some stay", 0 < len(some["kept_f32"]) < 12, "within the limit", some["chosen"]["largest"] <= 0.015 < some["all_int8"]["largest"], some["chosen"]["probes"])'
modnet convert tiny/backbone.mnet --dtype bf16 --calibrate data.arrow -o bf16.mnet
modnet convert data.mnet --dtype bf16 -o later.mnet -q
modnet card later.mnet --json | python3 -c 'import json, sys; print(list(json.load(sys.stdin)["card"]["extra"]))'
# More items than are used.
make_texts 1100 >many.tsv
modnet encode tiny/encoder.mnet many.tsv --text text -o many.arrow -q
convert --calibrate many.arrow --dry-run -o no.mnet --json | python3 -c 'import json, sys; data = json.load(sys.stdin)["data"]; print(data["rows"], data["chosen_on"], data["judged_on"])'

set +e
refuses() { says convert "$@" -o no.mnet; }
TINY_ORDER=reversed tiny_model other
modnet encode other/encoder.mnet texts.tsv --text text -o foreign.arrow -q
refuses --calibrate foreign.arrow
refuses --calibrate train.arrow
refuses --calibrate texts.tsv
head -n 1 texts.tsv >none.tsv
modnet encode tiny/encoder.mnet none.tsv --text text -o none.arrow -q
refuses --calibrate none.arrow
head -n 128 texts.tsv >few.tsv
modnet encode tiny/encoder.mnet few.tsv --text text -o few.arrow -q
refuses --calibrate few.arrow
refuses --calibrate missing.arrow
head -c -3000 data.arrow >cut.arrow
refuses --calibrate cut.arrow
refuses --calibrate - </dev/null
refuses --head class.mnet
refuses --label class
refuses --calibrate data.arrow --label class
refuses --calibrate many.arrow --head class.mnet
refuses --calibrate data.arrow --head class.mnet --label section
refuses --calibrate data.arrow --head tiny/encoder.mnet
TINY_SEED=7 tiny_model seventh
modnet embed seventh/backbone.mnet --encoder seventh/encoder.mnet train.tsv --text text --label class -o seventh.arrow -q
modnet train-head --features seventh.arrow --name other -o other.mnet -q >/dev/null
refuses --calibrate data.arrow --head other.mnet
awk -F'\t' -v OFS='\t' 'NR == 9 { $2 = "unknown" } { print }' texts.tsv >odd.tsv
modnet encode tiny/encoder.mnet odd.tsv --text text --label class -o odd.arrow -q
refuses --calibrate odd.arrow --head class.mnet
ls no.mnet 2>/dev/null || echo "nothing left behind"
