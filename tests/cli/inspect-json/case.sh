# The document holds the whole contract; the layout in it has no gaps larger than the padding.
cd "$SOURCE/tests/golden/files" || exit 1
modnet inspect composite.mnet --json --layout --tensors --card | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(list(d)[:6])
print(d["schema"], d["kind"], d["signed"], [c["slot"] for c in d["components"]], len(d["tensor_list"]))
end = 0
for part in d["layout"]:
    assert part["offset"] % 64 == 0 and 0 <= part["offset"] - end < 64 or part["offset"] < end, part
    end = max(end, part["offset"] + part["bytes"])
print(end == d["bytes"])
'
modnet inspect backbone.mnet --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print([p["name"] for p in d["contract"]["ports"]], d["spaces"][0]["id"], d["checks"])'
