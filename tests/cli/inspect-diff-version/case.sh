# The second module as a new version of the first, behind the contract: the bump that is needed and the one that was declared, as
# check says it. What a check cannot look at is said, and the comparison goes on; modules of two kinds are no versions.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_model old
tiny_model short --max-length 8 --version 1.1.0
tiny_model major --max-length 8 --version 2.0.0
says modnet inspect --diff old/encoder.mnet short/encoder.mnet
says modnet inspect --diff old/encoder.mnet major/encoder.mnet | sed -n '/^as a new version/{n;p;q}'
says modnet inspect --diff short/encoder.mnet old/encoder.mnet | grep -A1 '^as a new version'
for pair in "old/encoder.mnet short/encoder.mnet" "old/backbone.mnet short/backbone.mnet"; do
  modnet inspect --diff $pair --json >diff.json
  modnet check "${pair#* }" --against "${pair% *}" --no-probes --json >check.json
  python3 -c '
import json
diff, check = json.load(open("diff.json"))["diff"]["evolution"], json.load(open("check.json"))["checks"][0]
print("as check says:", diff == check, diff["verdict"], diff["bump"])'
done
echo "-- evidence that cannot be read"
modnet convert old/backbone.mnet --dtype bf16 --version 1.0.1 -o bf16.mnet -q >/dev/null
says modnet inspect --diff old/backbone.mnet bf16.mnet | sed -n '/^as a new version/,/^tensors/p'
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$SOURCE/tests/support python3 - <<'PY'
from tamper_module import EVIDENCE, parts, sealed
data = open("bf16.mnet", "rb").read()
offset, length = parts(data)[EVIDENCE]
open("odd.mnet", "wb").write(sealed(data[:offset] + b"\xff" * length + data[offset + length :]))
PY
says modnet inspect --diff old/backbone.mnet odd.mnet | sed -n '/^as a new version/,/^tensors/p;$p'
echo "-- two kinds"
modnet inspect --diff old/encoder.mnet old/backbone.mnet --json | python3 -c 'import json, sys; print("evolution" in json.load(sys.stdin)["diff"])'
