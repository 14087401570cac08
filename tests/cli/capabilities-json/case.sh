# The document has its schema first and lists commands, libraries and instruction sets.
modnet capabilities --json | head -2
modnet capabilities --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["version"], d["cpu"]["target"] in d["cpu"]["targets"], len(d["libraries"]) >= 10, d["devices"])
print(sorted(c["name"] for c in d["commands"] if c["name"] in ("capabilities", "inspect", "verify")))'
