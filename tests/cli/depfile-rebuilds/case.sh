# GNU make and ninja read what --depfile wrote, for names with spaces, #, $ and :, and inputs that a command line does not name.
# Prints, for each tool and change, what was made again.
. "$SOURCE/tests/support/tiny_line.sh"
command -v make >/dev/null && command -v ninja >/dev/null || { echo "skipped: no make or ninja"; exit 77; }
set -e -o pipefail
prepare() {
  rm -rf model parts out ./*.tsv ./*.toml
  python3 -B "$SOURCE/tests/support/make_tiny_model.py" model
  mkdir parts out
  make_texts 12 >'a b#1 $2:3.tsv'
  cp "$SOURCE/examples/fashion/pixels.toml" parts/pixels.toml
  sed 's/^encoder = .*/encoder = "pixels.toml"/' "$SOURCE/examples/fashion/features.toml" >parts/features.toml
  printf 'name = "both"\n[[layer]]\nmodule = "out/features.mnet"\n' >both.toml
}
cat >Makefile <<'END'
all: out/tokens.arrow out/both.mnet
out/encoder.mnet out/backbone.mnet &:
	@echo import; modnet import model -o out --name m -q -f --depfile out/import.d
out/tokens.arrow: out/encoder.mnet
	@echo encode; modnet encode out/encoder.mnet 'a b#1 $$2:3.tsv' --text text -q -f -o $@ --depfile $@.d
out/features.mnet:
	@echo features; modnet compose parts/features.toml -q -f -o $@ --depfile $@.d
out/both.mnet: out/features.mnet
	@echo both; modnet compose ./both.toml -q -f -o $@ --depfile $@.d
-include $(wildcard out/*.d)
END
cat >build.ninja <<'END'
rule made
  command = modnet $what -q -f --depfile $out.d && echo $said >&2
  depfile = $out.d
  deps = gcc
build out/encoder.mnet | out/backbone.mnet: made
  what = import model --name m -o out
  said = import
build out/tokens.arrow: made out/encoder.mnet
  what = encode out/encoder.mnet 'a b#1 $$2$:3.tsv' --text text -o out/tokens.arrow
  said = encode
build out/features.mnet: made
  what = compose parts/features.toml -o out/features.mnet
  said = features
build out/both.mnet: made out/features.mnet
  what = compose ./both.toml -o out/both.mnet
  said = both
END
run_make() { make -s all 2>&1 | grep -x '[a-z]*' | sort | xargs; }
run_ninja() { ninja 2>&1 | grep -x '[a-z]*' | sort | xargs; }
for tool in make ninja; do
  prepare
  after() { echo "$tool, $1: $(run_$tool || true)"; }
  after "at first"
  [ "$tool" = ninja ] || head -n 3 out/tokens.arrow.d
  after "nothing changed"
  touch 'a b#1 $2:3.tsv' && after "the data"
  touch model/tokenizer.json && after "the tokenizer"
  touch model/1_Pooling/config.json && after "the pooling"
  touch parts/pixels.toml && after "a recipe that a recipe names"
  touch both.toml && after "a recipe"
  touch out/features.mnet && after "a module that a recipe names"
  rm model/sentence_bert_config.json && after "a configuration is gone"
  after "nothing changed"
done
