#!/bin/bash
# Runs examples/spaces/run on fewer texts: the head moves between the two packings of one model, is refused by other spaces of
# its width, and forcing it there costs what the example says. Usage: example_spaces.sh MODNET SOURCE
set -u -o pipefail
for model in "${MODNET_MINILM:-}" "${MODNET_MINILM_AGAIN:-}"; do
  [ -n "$model" ] && [ -d "$model" ] || { echo "skipped: MODNET_MINILM and MODNET_MINILM_AGAIN do not name the models' folders"; exit 77; }
done
[ "$(apt-cache dumpavail 2>/dev/null | head -c 100000 | wc -c)" -ge 100000 ] || { echo "skipped: apt-cache knows no packages"; exit 77; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$1" "$work/bin/modnet"
export PATH=$work/bin:$PATH OUT=$work/spaces
bash "$2/examples/spaces/run" 1500 400 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cat "$work/log"
python3 - "$work/log" <<'EOF'
import re, sys

log = open(sys.argv[1], encoding="utf-8").read()
scores = {name: float(value) for name, value in re.findall(r"^(\w+) +accuracy ([0-9.]+)", log, re.M)}
checks = log.split("== may it move?")[1].split("== what the refusals spare")[0].split("\n$ ")[1:]
problems = []
if len(checks) != 4:
    problems.append(f"{len(checks)} checks, expected 4")
for check, verdict in zip(checks, ["compatible", "compatible", "incompatible", "incompatible"]):
    if not re.search(rf"(?<![a-z]){verdict}", check):
        problems.append(f"expected {verdict}: {check}")
for check in checks[2:]:
    if "SPACE_FINGERPRINT_MISMATCH" not in check or not re.search(r"largest distance 0\.[89]", check):
        problems.append(f"no measured distance: {check}")
if set(scores) != {"minilm", "again", "cls", "early"}:
    problems.append(f"scores of {sorted(scores)}")
elif scores["again"] != scores["minilm"] or max(scores["cls"], scores["early"]) > scores["minilm"] - 0.05:
    problems.append(f"scores {scores}")
print("\n".join(problems))
sys.exit(bool(problems))
EOF
