# One failing pair in every format; a file whose name tries to give commands, and the documents as their readers see them.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_model old
tiny_model new --max-length 8 --version 1.1.0
for format in text github markdown; do
  echo "== $format"
  says modnet check new/encoder.mnet --against old/encoder.mnet --format $format
done
modnet check new/encoder.mnet --against old/encoder.mnet --format json >a.json
echo "exit $?"
modnet check new/encoder.mnet --against old/encoder.mnet --json >b.json
cmp a.json b.json && echo "--json is --format json"
modnet check new/encoder.mnet --against old/encoder.mnet --format junit >a.xml
modnet check new/encoder.mnet --against old/encoder.mnet --format sarif >a.sarif
python3 -c '
import json, xml.etree.ElementTree
d = json.load(open("a.json"))
print(d["schema"], d["verdict"], d["passes"], d["today"], d["counts"], d["checks"][0]["bump"])
print([(f["rule"], f["severity"], f["witness"] is not None, len(f["key"])) for f in d["checks"][0]["findings"]])
s = json.load(open("a.sarif"))["runs"][0]
assert [r["partialFingerprints"]["modnetFinding/v1"] for r in s["results"]] == [f["key"] for f in d["checks"][0]["findings"]]
print(s["results"][0]["locations"][0])
x = xml.etree.ElementTree.parse("a.xml").getroot()
print(x.attrib, [c.get("name") for c in x.iter("testcase")])'
name=$(printf 'a\n::error::x\n##[b],%%\033[2J.mnet')
cp new/encoder.mnet "$name"
for format in text json junit sarif github markdown; do
  modnet check "$name" --against old/encoder.mnet --format $format >out
  python3 - $format <<'EOF'
import re, sys
text = open("out", encoding="utf-8").read()
assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), sys.argv
assert "##[" not in text, sys.argv
assert not re.search(r"^\s*::(?!error file=|warning file=|notice file=)", text, re.MULTILINE), sys.argv
EOF
done
says modnet check new/encoder.mnet --against old/encoder.mnet --json --format junit
says modnet check new/encoder.mnet --against old/encoder.mnet --format xml
