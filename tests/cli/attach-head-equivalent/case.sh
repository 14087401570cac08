# Another fingerprint, the same space: a head goes onto a converted backbone because it was measured, the composite carries the
# evidence and answers. A tighter tolerance refuses it; other pooling, another tap and other weights are refused with the distance.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
for dtype in bf16 f16; do
  modnet convert tiny/backbone.mnet --dtype $dtype -o $dtype.mnet -q >/dev/null
  says modnet attach-head $dtype.mnet class.mnet --encoder tiny/encoder.mnet -o $dtype-model.mnet
  modnet verify $dtype-model.mnet >/dev/null || echo "not whole"
done
says modnet attach-head bf16.mnet class.mnet --encoder tiny/encoder.mnet -o tight.mnet --space-tolerance 0.00001
says modnet attach-head bf16.mnet class.mnet -o loose.mnet --space-tolerance 0.5
modnet attach-head bf16.mnet class.mnet --encoder tiny/encoder.mnet -o again.mnet --threads 1 --json >again.json
python3 - <<'END'
import json
said = json.load(open("again.json"))
print([one["id"] for one in said["findings"]], [(one["port"], one["measure"]["largest"] < 0.1) for one in said["evidence"]])
END
modnet inspect bf16-model.mnet --json | python3 -c '
import json, sys
print("evidence" in [one["kind"] for one in json.load(sys.stdin)["trailers"]])'
# Through a pipe there is no backbone to run: what the stream recorded decides, and is shown as recorded.
modnet embed bf16.mnet --encoder tiny/encoder.mnet test.tsv --label class -o bf16.arrow -q
says modnet predict class.mnet bf16.arrow --csv -o bf16.csv
modnet predict bf16-model.mnet test.tsv --csv -o model.csv -q
cmp bf16.csv model.csv && echo "the same answers"
# A head trained on the converted backbone fits the root.
modnet train-head --features bf16.arrow --name late --strength 1 -o late.mnet -q >/dev/null
says modnet attach-head tiny/backbone.mnet late.mnet --encoder tiny/encoder.mnet -o late-model.mnet
ls tight.mnet loose.mnet 2>/dev/null || echo "nothing left behind"
