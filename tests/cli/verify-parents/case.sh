# verify --parent: lineage is borne out by the files that were used, whole and unchanged, and by no others; a folder may hold more.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
says modnet verify model.mnet --parent tiny --parent class.mnet
says modnet verify class.mnet --parent tiny/backbone.mnet
modnet verify model.mnet --parent tiny/encoder.mnet --json >out.json
python3 - <<'END'
import json
document = json.load(open("out.json"))
for row in document["lineage"]:
    print(row["component"], row["relation"], row["name"], len(row["content"]), row["parent"])
print(document["passed"], list(document))
END
TINY_SEED=1 tiny_model other
says modnet verify class.mnet -q --parent other/backbone.mnet
says modnet verify class.mnet -q --parent other
says modnet verify class.mnet -q --parent tiny/backbone.mnet --parent model.mnet --parent nowhere.mnet
cp tiny/backbone.mnet damaged.mnet
printf X | dd of=damaged.mnet bs=1 seek=$(modnet inspect damaged.mnet --layout | awk '$3 == "tensor" { print $1; exit }') conv=notrunc status=none
says modnet verify class.mnet -q --parent damaged.mnet
cp "$SOURCE/tests/golden/files/head.mnet" golden.mnet
says modnet verify golden.mnet -q --parent tiny
