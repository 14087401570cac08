# Two heads on one backbone answer side by side, in a composite and on a stream of embeddings; each can be asked alone.
. "$SOURCE/tests/support/tiny_line.sh"
set -e
tiny_line
awk -F'\t' -v OFS='\t' 'NR == 1 { print $0, "words"; next } { print $0, split($3, unused, " ") }' train.tsv >counted.tsv
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet counted.tsv --label words --id id -o counted.arrow -q
modnet train-head --features counted.arrow --kind regression --name length -o length.mnet -q >/dev/null
modnet attach-head tiny/backbone.mnet class.mnet length.mnet --encoder tiny/encoder.mnet -o both.mnet
modnet verify both.mnet >/dev/null
modnet predict both.mnet test.tsv --id id >both.jsonl
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet test.tsv --id id -o test.arrow -q
modnet predict class.mnet length.mnet test.arrow >stream.jsonl
cmp both.jsonl stream.jsonl && wc -l <both.jsonl
modnet predict both.mnet test.tsv --id id --csv | head -n 1
modnet predict both.mnet test.tsv --id id --csv --top-k 2 --output-port class | head -n 1
modnet predict both.mnet test.tsv --id id --csv --output-port words | head -n 1
modnet predict both.mnet test.tsv --id id --arrow | modnet predict class.mnet - 2>err || echo "answers are no embeddings: exit $?"
modnet eval both.mnet counted.tsv --label words --output-port words --json | python3 -c '
import json, sys
answer = json.load(sys.stdin)["answers"]["words"]
print(answer["kind"], answer["rows"], sorted(answer["figures"]), answer["figures"]["r2"]["value"] > 0.3)'
says modnet eval both.mnet test.tsv --label class --output-port nothing || true
says modnet eval both.mnet test.tsv --output-port class || true
sed 's/\tverb\t/\tverse\t/' test.tsv >strange.tsv
says modnet eval both.mnet strange.tsv --label class --output-port class || true
says modnet eval both.mnet counted.tsv --label class --output-port words || true
says modnet eval both.mnet counted.tsv --label nothing || true
