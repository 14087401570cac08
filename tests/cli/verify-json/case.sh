# The document lists every file with its checks and failures; the exit code is the first failure's.
cp "$SOURCE/tests/golden/files/backbone.mnet" good.mnet
cp good.mnet bad.mnet
printf X | dd of=bad.mnet bs=1 seek=$(modnet inspect good.mnet --layout | awk '$3 == "tensor" { print $1; exit }') conv=notrunc status=none
modnet verify good.mnet bad.mnet nosuch.mnet --json >out.json
echo "exit $?"
python3 -c '
import json
d = json.load(open("out.json"))
print(d["schema"], d["passed"])
for f in d["files"]:
    print(f["file"], f["passed"], [c["name"] for c in f["checks"] if c["failed"]], [x["id"] for x in f["failures"]])'
