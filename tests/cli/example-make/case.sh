# examples/make/Makefile on a tiny model: each change makes again exactly what it affects. Prints the commands that ran.
. "$SOURCE/tests/support/tiny_line.sh"
command -v make >/dev/null || { echo "skipped: no make"; exit 77; }
make --version | head -n 1 | grep -q 'GNU Make \(4\.[3-9]\|4\.[1-9][0-9]\|[5-9]\)' || { echo "skipped: no GNU make 4.3"; exit 77; }
set -e -o pipefail
python3 -B "$SOURCE/tests/support/make_tiny_model.py" model
make_texts 90 >train.tsv
make_texts 48 >test.tsv
cp "$SOURCE/examples/make/head.toml" .
after() {
  echo "$1: $(make -f "$SOURCE/examples/make/Makefile" HEAD=head.toml | awk '$1 ~ /modnet$/ { print $2 } /up to date/ { print "nothing" }' | xargs)"
}
after "at first"
after "once more"
touch test.tsv && after "other texts to judge by"
sed -i 's/"1.0.0"/"1.1.0"/' head.toml && after "another recipe"
make_texts 60 >train.tsv && after "other texts to learn from"
touch model/1_Pooling/config.json && after "another pooling"
python3 -B "$SOURCE/tests/support/make_tiny_model.py" model 1 && after "another model"
touch out/head.mnet && after "a head from elsewhere"
rm out/train.arrow && after "a stream that is gone"
after "at last"
