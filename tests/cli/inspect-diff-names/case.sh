# What modules and files are called cannot drive the terminal: entries of a vocabulary and its order, labels, file names. JSON
# spells them out, so that nothing is lost.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
python3 - <<'PY'
import json, os, shutil
shutil.copytree("model0", "hostile")
path = os.path.join("hostile", "tokenizer.json")
with open(path) as file: tokenizer = json.load(file)
vocabulary = tokenizer["model"]["vocab"]
names = ["\x1b[2Jgone", "\u202eright to left", "two\nlines", "\x9bcsi"]
for name, old in zip(names, ["one", "two", "three", "four"]): vocabulary[name] = vocabulary.pop(old)
with open(path, "w") as file: json.dump(tokenizer, file)
PY
modnet import hostile -o hostile-m -q >/dev/null
says modnet inspect --diff tiny/encoder.mnet hostile-m/encoder.mnet >text
LC_ALL=C grep -c "$(printf '\033\\|\302\233\\|\342\200\256')" text || echo "no control characters"
grep -A8 'vocabulary$' text
awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = $2 "\033[31m" } { print }' train.tsv >red.tsv
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet red.tsv --text text --label class --id id -o red.arrow -q
modnet train-head --features red.arrow --name class --strength 1 -o "$(printf 'red\033[31m\nhead.mnet')" -q >/dev/null
says modnet inspect --diff class.mnet "$(printf 'red\033[31m\nhead.mnet')" | sed -n '1,/^tensors/p'
modnet inspect --diff class.mnet "$(printf 'red\033[31m\nhead.mnet')" --json >red.json || echo "exit $?"
LC_ALL=C grep -c "$(printf '\033')" red.json || echo "no control characters"
python3 -c 'import json; print(repr(json.load(open("red.json"))["diff"]["after"]["file"]))'
