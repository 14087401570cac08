# Two recipes make an image model: the same bytes on every run, and every step says what it refuses.
set -e
modnet compose "$SOURCE/examples/fashion/pixels.toml" -o pixels.mnet >/dev/null
modnet compose "$SOURCE/examples/fashion/features.toml" -o features.mnet >/dev/null
modnet compose "$SOURCE/examples/fashion/features.toml" -o again.mnet --threads 1 >/dev/null
cmp features.mnet again.mnet && echo "compose gives the same bytes"
modnet verify pixels.mnet features.mnet >/dev/null
python3 - <<'EOF'
import gzip, struct
rows = 90
pictures, labels = bytearray(), bytearray()
for i in range(rows):
    kind = i % 3
    labels.append(kind)
    for y in range(28):
        for x in range(28):
            inside = (x > 14, y > 14, (x - 14) ** 2 + (y - 14) ** 2 < 60)[kind]
            pictures.append((200 if inside else 10) + (x * 7 + y * 13 + i * 29) % 40)
gzip.open("pictures-idx3-ubyte.gz", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, rows, 28, 28) + pictures)
gzip.open("labels-idx1-ubyte.gz", "wb").write(struct.pack(">4BI", 0, 0, 8, 1, rows) + labels)
EOF
modnet embed features.mnet --encoder pixels.mnet pictures-idx3-ubyte.gz --labels labels-idx1-ubyte.gz -o train.arrow
modnet train-head --features train.arrow --solver ridge --name shape -o shape.mnet -q >/dev/null
modnet attach-head features.mnet shape.mnet --encoder pixels.mnet -o model.mnet -q >/dev/null
modnet eval model.mnet pictures-idx3-ubyte.gz --labels labels-idx1-ubyte.gz --json | python3 -c '
import json, sys
answer = list(json.load(sys.stdin)["answers"].values())[0]
print(answer["rows"], answer["figures"]["accuracy"]["value"] > 0.95)'
head -c $(($(stat -c %s pictures-idx3-ubyte.gz) / 2)) pictures-idx3-ubyte.gz >cut-idx3-ubyte.gz
modnet embed features.mnet --encoder pixels.mnet cut-idx3-ubyte.gz -o cut.arrow 2>err || echo "exit $?"
grep -c '^modnet: cut-idx3-ubyte.gz' err
ls cut.arrow 2>/dev/null || echo "nothing left behind"
