# What train-head does not train on, and what it says: exit 3 for data, 2 for usage; nothing is left behind.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
embed() { modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet --text text "$@" -q; }
train() { says modnet train-head --name class -o h.mnet "$@"; }
head -n 1 train.tsv >none.tsv
embed none.tsv --label class -o none.arrow
train --features none.arrow
embed train.tsv -o bare.arrow
train --features bare.arrow
awk 'NR == 1 || $2 == "verb"' train.tsv >one.tsv
embed one.tsv --label class -o one.arrow
train --features one.arrow
train --features train.arrow --kind regression
train --features train.arrow --kind regression --solver logistic
train --features train.arrow --strength 0
train --features train.arrow --port nowhere
train --features missing.arrow
train --features - <train.arrow
says modnet train-head --features train.arrow --name backbone -o h.mnet
says modnet train-head --features train.arrow -o h.mnet
# A user's array: no metadata, so the space must be named; a number that is none is named, too.
cat >arrays.py <<'END'
import random, struct
def npy(name, descr, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(name, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
draw = random.Random(1)
labels = [i % 2 for i in range(40)]
values = [draw.random() + label for label in labels for _ in range(12)]
npy("x.npy", "<f4", "(40, 12)", struct.pack("<480f", *values))
npy("y.npy", "<i8", "(40,)", struct.pack("<40q", *labels))
npy("short.npy", "<i8", "(39,)", struct.pack("<39q", *labels[:39]))
npy("wide.npy", "<f4", "(40, 13)", struct.pack("<520f", *([0.0] * 520)))
values[17 * 12 + 5] = float("nan")
npy("nan.npy", "<f4", "(40, 12)", struct.pack("<480f", *values))
END
python3 arrays.py
train --features x.npy --labels y.npy
train --features nan.npy --labels y.npy --space-of tiny/backbone.mnet
train --features x.npy --labels short.npy --space-of tiny/backbone.mnet
train --features wide.npy --labels y.npy --space-of tiny/backbone.mnet
train --features x.npy --labels y.npy --space-of class.mnet
ls h.mnet 2>/dev/null || echo "nothing left behind"
train --features x.npy --labels y.npy --space-of tiny/backbone.mnet --strength 1
says modnet attach-head tiny/backbone.mnet h.mnet -o m.mnet -q
