# A backbone's linear layers in 8 bits: whole numbers and scales as the rule says, the same root and probes, evidence, a card that says
# what was done, the same bits with any threads, batch and CPU; layers that hurt stay f32; what cannot be converted is refused.
. "$SOURCE/tests/support/tiny_line.sh"
set -e -o pipefail
tiny_line
modnet convert tiny/backbone.mnet --dtype int8 --dry-run -o none.mnet
[ ! -e none.mnet ]
modnet convert tiny/backbone.mnet --dtype int8 -o int8.mnet --json >all.json
modnet verify int8.mnet >/dev/null
modnet convert tiny/backbone.mnet --dtype int8 -o again.mnet --threads 1 -q >/dev/null
cmp int8.mnet again.mnet
# A limit that all layers in 8 bits do not hold, and one that none can.
modnet convert tiny/backbone.mnet --dtype int8 --int8-error 0.02 -o some.mnet --json >some.json
python3 -B - <<'END'
import json, struct, subprocess

def inspect(name):
    return json.loads(subprocess.run(["modnet", "inspect", name, "--tensors", "--layout", "--json"], capture_output=True, check=True).stdout)

def raw(name):
    """Tensors of a module as inspect's layout says where they lie: (dtype, shape, bytes)."""
    out, data = inspect(name), open(name, "rb").read()
    parts = {part["name"]: data[part["offset"] : part["offset"] + part["bytes"]] for part in out["layout"] if part["part"] == "tensor"}
    return {one["name"]: (one["dtype"], one["shape"], parts[one["name"]]) for one in out["tensor_list"]}

def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)

def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]

old, new, report = raw("tiny/backbone.mnet"), raw("int8.mnet"), json.load(open("all.json"))
whole = [name for name in new if new[name][0] == "i8"]
checked, folded = 0, {name for layer in report["layers"] for name in layer["folded"]}
for layer in report["layers"]:
    factors = new.get(layer["tensors"][0] + ".factors")
    assert (factors is not None) == (layer["migration"] > 0 and not layer["folded"]), layer
    for name in layer["tensors"]:
        if layer["folded"] or name + ".scale" in folded:
            continue  # their factors went into scales and biases before them
        (_, (n, k), was), (dtype, shape, data), scales = old[name], new[name], floats(new[name + ".scale"][2])
        assert dtype == "i8" and shape == [n, k] and len(scales) == n
        weights, columns = floats(was), floats(factors[2]) if factors else [1.0] * k
        moved = [f32(w / columns[i % k]) for i, w in enumerate(weights)]
        for j in range(n):
            row = moved[j * k : (j + 1) * k]
            assert scales[j] == f32(max(map(abs, row)) / 127), name
            got = struct.unpack(f"{k}b", data[j * k : (j + 1) * k])
            assert list(got) == [round(f32(w / scales[j])) for w in row], name  # Python rounds ties to even as well
            checked += k
print(len(whole), "matrices of", len(report["layers"]), "groups,", checked, "numbers as the rule says")
print("other tensors as before", all(new[name] == old[name] for name in old if name not in whole and name not in folded))
print("folded before attention's output", sorted(folded))
before, after = inspect("tiny/backbone.mnet"), inspect("int8.mnet")
pick = lambda one, key: [space[key] for space in one["spaces"]]
print("root kept", pick(before, "root") == pick(after, "root"), "fingerprint other", pick(before, "fingerprint") != pick(after, "fingerprint"))
trailers = lambda one: {trailer["kind"]: trailer["digest"] for trailer in one["trailers"]}
print("probes kept", trailers(before)["probes"] == trailers(after)["probes"], "evidence", "evidence" in trailers(after))
card = json.loads(subprocess.run(["modnet", "card", "int8.mnet", "--json"], capture_output=True, check=True).stdout)
print(card["card"]["extra"]["quantisation"]["scheme"], card["card"]["extra"]["quantisation"]["kept_f32"])
some = json.load(open("some.json"))
kept = [name for layer in some["layers"] if layer["kept_f32"] for name in layer["tensors"]]
print("stay f32", kept == some["kept_f32"], 0 < len(kept) < len(whole), "within the limit", some["chosen"]["largest"] <= 0.02 < some["all_int8"]["largest"])
moved = {name for layer in some["layers"] for name in layer["folded"]}
print(all(raw("some.mnet")[name] == old[name] for name in kept if name not in moved), len([1 for one in raw("some.mnet").values() if one[0] == "i8"]) == len(whole) - len(kept))
END
# The same bits under every code path; a head of the f32 backbone attaches by what was measured.
make_texts 40 >texts.tsv
same_bits int8.mnet texts.tsv
modnet attach-head int8.mnet class.mnet --encoder tiny/encoder.mnet -o joined.mnet -q >/dev/null
modnet predict joined.mnet test.tsv -q | wc -l
modnet check int8.mnet --against tiny/backbone.mnet | tail -n 1
# Again, for the tables that are left; and what is refused.
modnet convert int8.mnet --dtype bf16 -o small.mnet
set +e
says modnet convert int8.mnet --dtype int8 -o no.mnet
says modnet convert tiny/backbone.mnet --dtype int8 --int8-error 0 -o no.mnet
says modnet convert tiny/backbone.mnet --dtype bf16 --int8-error 0.01 -o no.mnet
says modnet convert tiny/backbone.mnet --dtype int8 --int8-error 0.2 -o no.mnet
says modnet convert tiny/encoder.mnet --dtype int8 -o no.mnet
ls no.mnet 2>/dev/null || echo "nothing left behind"
