# examples/gate/gate.sh: a retrained head may be released, one that renames a label may not, unless somebody answers for it; one of
# another space never. The reports are XML and JSON with the same findings.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
gate() { says "$SOURCE/examples/gate/gate.sh" "$@"; }
mkdir released && cp class.mnet released/class-1.0.0.mnet
modnet train-head --features train.arrow --name class --version 1.0.1 --strength 10 -o better.mnet -q >/dev/null
gate better.mnet released tiny/backbone.mnet
echo "== a label is renamed"
sed 's/\tverb\t/\tdoing\t/' train.tsv >other.tsv
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet other.tsv --text text --label class -o other.arrow -q
modnet train-head --features other.arrow --name class --version 1.1.0 --strength 1 -o renamed.mnet -q >/dev/null
gate renamed.mnet released tiny/backbone.mnet
python3 - <<'END'
import json, xml.etree.ElementTree as xml
suite = xml.parse("reports/releases.xml").getroot()
print("junit:", len(list(suite.iter("testcase"))), "case,", len(list(suite.iter("failure"))), "failure")
print("sarif:", sorted({result["ruleId"] for run in json.load(open("reports/releases.sarif"))["runs"] for result in run["results"]}))
END
echo "== somebody answers for it"
modnet check renamed.mnet --baseline released --suggest-accept | sed -n '/\[\[accept\]\]/,/expires/p' | sed 's/^ *//
  s/^\(# *\)*reason = .*/reason = "nobody uses the old name"/; s/^\(# *\)*owner = .*/owner = "heads"/; s/^\(# *\)*expires = .*/expires = "2999-12-31"/' >accepted.toml
grep -c '^\[\[accept' accepted.toml
gate renamed.mnet released tiny/backbone.mnet accepted.toml | tail -n 13
echo "== another space"
TINY_SEED=1 tiny_model foreign
gate better.mnet released foreign/backbone.mnet | tail -n 1
gate better.mnet nowhere tiny/backbone.mnet | tail -n 3
