# What is written and what is not: -f, --dry-run, a full disk, --json with data on stdout, a terminal, texts that are too long.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
sums() { find . -type f ! -name '*.sum' -exec sha256sum {} + | sort -k 2; }
sums >before.sum
says modnet import model0 -o tiny/
says modnet encode tiny/encoder.mnet train.tsv -o train.arrow
says modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet train.tsv -o train.arrow
says modnet train-head --features train.arrow --name class -o class.mnet
says modnet attach-head tiny/backbone.mnet class.mnet -o model.mnet
says modnet predict model.mnet test.tsv -o model.mnet
says modnet import model0 -o new/ --dry-run --json
says modnet encode tiny/encoder.mnet train.tsv -o new.arrow --dry-run --json
says modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet train.tsv -o new.arrow --dry-run --json
says modnet train-head --features train.arrow --strength 1 --name class -o new.mnet --dry-run
says modnet attach-head tiny/backbone.mnet class.mnet -o new.mnet --dry-run --json
says modnet predict model.mnet test.tsv -o new.csv --dry-run --json
sums | cmp - before.sum && ls -d new* 2>/dev/null || echo "no file was changed or made"
for command in "encode tiny/encoder.mnet train.tsv" "embed tiny/backbone.mnet --encoder tiny/encoder.mnet train.tsv" \
  "train-head --features train.arrow --strength 1 --name class" "attach-head tiny/backbone.mnet class.mnet" "predict model.mnet test.tsv"; do
  says modnet $command -o - --json
  says modnet $command -o /dev/full -f
done
modnet predict model.mnet test.tsv >/dev/full
echo "exit $?"
modnet eval model.mnet test.tsv --label class >/dev/full
echo "exit $?"
if command -v script >/dev/null; then
  for command in "encode tiny/encoder.mnet train.tsv" "attach-head tiny/backbone.mnet class.mnet -o -" "predict model.mnet test.tsv --arrow"; do
    script -qec "modnet $command; echo exit \$?" /dev/null | tr -d '\r'
  done
else
  for i in 1 2 3; do echo "modnet: USAGE: binary data is not written to a terminal"; echo exit 2; done
fi
awk 'BEGIN { print "red green"; for (i = 0; i < 60; i++) printf "blue "; print ""; print "fly" }' >long.txt
says modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet long.txt -o long.arrow --json
says modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet long.txt -o refused.arrow --overflow error
says modnet predict model.mnet long.txt --overflow error -o refused.csv
modnet predict model.mnet long.txt --csv >cut.csv
wc -l <cut.csv
ls refused.* 2>/dev/null || echo "nothing left behind"
for command in "encode tiny/encoder.mnet train.tsv -o 1.arrow" "embed tiny/backbone.mnet --encoder tiny/encoder.mnet train.tsv -o 2.arrow" "import model0 -o again/" \
  "train-head --features train.arrow --strength 1 --name class -o 3.mnet" "attach-head tiny/backbone.mnet class.mnet -o 4.mnet" "predict model.mnet test.tsv -o 5.csv" \
  "eval model.mnet test.tsv --label class" "eval model.mnet missing.tsv --label class" "embed tiny/backbone.mnet cut.tsv -o 6.arrow"; do
  modnet $command --json 2>/dev/null | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["schema"], d.get("error", {}).get("exit", ""))'
done
