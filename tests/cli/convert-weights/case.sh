# A backbone's matrices as bf16 and f16: half the bytes, another fingerprint, the same root and probes, evidence of what was
# measured; the same bits with any threads and CPU; numbers are those that numpy (f16) and the rounding rule (bf16) give.
. "$SOURCE/tests/support/tiny_line.sh"
set -e -o pipefail
tiny_model tiny
cp tiny/backbone.mnet before.mnet
modnet convert tiny/backbone.mnet --dtype bf16 --dry-run -o none.mnet
[ ! -e none.mnet ]
for dtype in bf16 f16; do
  modnet convert tiny/backbone.mnet --dtype $dtype -o $dtype.mnet
  modnet verify $dtype.mnet >/dev/null
  modnet convert tiny/backbone.mnet --dtype $dtype -o again.mnet --threads 1 -f -q >/dev/null
  cmp $dtype.mnet again.mnet
done
cmp tiny/backbone.mnet before.mnet
# Again and to another dtype: measured against the same root, not against the step before.
modnet convert tiny/backbone.mnet --dtype f16 --version 2.0.0-rc.1 --json -o two.mnet -f >two.json
python3 -B - <<'END'
import hashlib, json, struct, subprocess

def inspect(name):
    return json.loads(subprocess.run(["modnet", "inspect", name, "--tensors", "--json"], capture_output=True, check=True).stdout)

def raw(name):
    """Tensors of a module as inspect's layout says where they lie."""
    out = json.loads(subprocess.run(["modnet", "inspect", name, "--tensors", "--layout", "--json"], capture_output=True, check=True).stdout)
    data = open(name, "rb").read()
    parts = {part["name"]: data[part["offset"] : part["offset"] + part["bytes"]] for part in out["layout"] if part["part"] == "tensor"}
    return {one["name"]: (one["dtype"], parts[one["name"]]) for one in out["tensor_list"]}

def bf16(bits):
    """Round to nearest even on the bits of an f32."""
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16

def f16(value):
    return struct.unpack("<H", struct.pack("<e", value))[0]  # Python rounds to nearest even as well

old = raw("tiny/backbone.mnet")
ranks = {one["name"]: len(one["shape"]) for one in json.loads(subprocess.run(["modnet", "inspect", "tiny/backbone.mnet", "--tensors", "--json"],
                                                                              capture_output=True, check=True).stdout)["tensor_list"]}
for dtype in ("bf16", "f16"):
    new, count = raw(dtype + ".mnet"), 0
    assert new.keys() == old.keys()
    for name, (was, data) in old.items():
        assert was == "f32"
        if ranks[name] < 2:
            assert new[name] == (was, data), name
            continue
        assert new[name][0] == dtype, name
        n = len(data) // 4
        bits = struct.unpack(f"<{n}I", data)
        values = struct.unpack(f"<{n}f", data)
        want = [bf16(b) for b in bits] if dtype == "bf16" else [f16(v) for v in values]
        assert list(struct.unpack(f"<{n}H", new[name][1])) == want, name
        count += n
    print(dtype, count > 2500, "numbers as the rule says")
before, after = inspect("tiny/backbone.mnet"), inspect("bf16.mnet")
pick = lambda one, key: [space[key] for space in one["spaces"]]
print("root kept", pick(before, "root") == pick(after, "root"), "fingerprint other", pick(before, "fingerprint") != pick(after, "fingerprint"))
trailers = lambda one: {trailer["kind"]: trailer["digest"] for trailer in one["trailers"]}
print("probes kept", trailers(before)["probes"] == trailers(after)["probes"], "evidence", "evidence" in trailers(after), "evidence" in trailers(before))
print(after["version"], [(one["relation"], one["name"], one["content"] == before["content"]) for one in after["lineage"]][-1])
two = json.load(open("two.json"))
print(two["schema"], two["version"], two["converted"], two["kept_f32"], two["weight_bytes"] < two["weight_bytes_before"], [space["port"] for space in two["spaces"]])
assert all(0 < space["measure"]["largest"] < 0.1 and space["root"] != space["fingerprint"] for space in two["spaces"])
END
# The same bits under every code path, and a stream that hands the evidence on.
make_texts 40 >texts.tsv
same_bits bf16.mnet texts.tsv
modnet embed bf16.mnet --encoder tiny/encoder.mnet texts.tsv -o bf16.arrow -q
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet texts.tsv -o f32.arrow -q
grep -ac 'modnet.evidence' bf16.arrow
grep -ac 'modnet.evidence' f32.arrow || echo "none without evidence"
