# A head's card says what it was trained on; a report of eval says of which data and modules it is, and its figures go on the
# card of the module that gave them, once. A report of another module, or of data without a name, is refused.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet test.tsv --text text --label class --id id -o test.arrow -q
modnet train-head --features train.arrow --name again --strength 0.1 -o again.mnet -q >/dev/null
modnet eval class.mnet again.mnet test.arrow --json >report.json
modnet eval model.mnet test.tsv --text text --label class --json >model.json
says modnet card class.mnet --from-eval report.json -f -q
says modnet card class.mnet --from-eval report.json -f -q
says modnet card model.mnet --from-eval model.json -f -q
says modnet card model.mnet --from-eval report.json -f -q 2>&1 | sed 's/[0-9a-f]\{12\}/…/g'
modnet eval model.mnet - --format tsv --text text --label class --json <test.tsv >piped.json
says modnet card model.mnet --from-eval piped.json -f -q
for name in class model; do modnet card $name.mnet --json >$name.card.json; done
python3 - <<'END'
import hashlib, json
def digest(name):
    return "sha256:" + hashlib.sha256(open(name, "rb").read()).hexdigest()
report = json.load(open("report.json"))
head, model = json.load(open("class.card.json")), json.load(open("model.card.json"))
print([d["name"] for d in report["data_files"]], report["data_files"][0]["digest"] == digest("test.arrow"))
print([m["name"] for m in report["models"]], report["models"][0]["content"] == head["content"])
print({name: answer["model"] == head["content"] for name, answer in report["answers"].items()})
figures = report["answers"]["class.class"]["figures"]
metrics = head["card"]["metrics"]
print(len(metrics) == sum(f["value"] is not None for f in figures.values()))
for one in metrics:
    figure = figures[one["name"]]
    assert one["answer"] == "class.class" and one["value"] == figure["value"] and one["rows"] == 48, one
    assert [one.get("low"), one.get("high")] == figure.get("interval_95", [None, None]), one
    assert one["data"] == report["data_files"], one
    assert [m["digest"] for m in one["models"]] == [m["content"] for m in report["models"]], one
print([m["data"][0]["name"] for m in model["card"]["metrics"]][:1], len(model["card"]["metrics"]) == len(metrics))
data = head["card"]["training_data"]
print(len(data), data[0]["name"], data[0]["digest"] == digest("train.arrow"), data[0]["rows"], data[0]["labels"], [m["name"] for m in data[0]["made_by"]])
print([c["rows"] for c in data[0]["labels"]] == head["card"]["training"]["class_counts"])
END
