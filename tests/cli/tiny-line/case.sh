# Every command of the text line, on a model made by the case itself: exit 0 everywhere, scores are printed, verify is content,
# and the three-command pipe answers as the composite does.
. "$SOURCE/tests/support/tiny_line.sh"
set -e -o pipefail
python3 -B "$SOURCE/tests/support/make_tiny_model.py" model
make_texts 90 >train.tsv
make_texts 48 >test.tsv
modnet import model -o tiny/
modnet encode tiny/encoder.mnet train.tsv --text text --label class -o train.tokens.arrow
modnet embed tiny/backbone.mnet train.tokens.arrow -o train.arrow
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet test.tsv --text text --label class -o test.arrow
modnet train-head --features train.arrow --kind classification --name class --strength 1 -o class.mnet
modnet attach-head tiny/backbone.mnet class.mnet --encoder tiny/encoder.mnet -o model.mnet
modnet verify tiny/encoder.mnet tiny/backbone.mnet class.mnet model.mnet >/dev/null
modnet inspect model.mnet
modnet eval model.mnet test.tsv --text text --label class | head -4
modnet eval class.mnet test.arrow --json >head.json
modnet eval model.mnet test.tsv --text text --label class --json >model.json
python3 - <<'END'
import json
head, model = (json.load(open(name))["answers"]["class"] for name in ("head.json", "model.json"))
assert head.pop("model") != model.pop("model"), "a figure is of the module that was run"
assert head == model, "a head on embeddings and the composite on texts give the same report"
assert model["figures"]["accuracy"]["value"] > 0.8 > model["figures"]["accuracy"]["baseline"]
assert sum(map(sum, model["confusion"])) == model["rows"] == 48
print("eval says the same of head and composite")
END
cut -f 3 test.tsv | tail -n +2 | head -3 | modnet predict model.mnet - --jsonl
modnet predict model.mnet test.tsv --text text --csv >files.csv
modnet encode tiny/encoder.mnet test.tsv --text text -o - | modnet embed tiny/backbone.mnet - -o - | modnet predict class.mnet - --csv >pipe.csv
cmp files.csv pipe.csv && wc -l <pipe.csv
