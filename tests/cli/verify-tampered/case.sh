# Whatever a user relies on, changed under an unchanged signature with every digest made right again: verify exits 4, and
# names the signature; without the signature the same files are found whole.
. "$SOURCE/tests/support/make_keys.sh"
fixed_key release a
cp "$SOURCE/tests/golden/files/"{backbone,converted,composite,nested}.mnet .
chmod u+w ./*.mnet
python3 -B - "$SOURCE/tests/support" <<'EOF'
import json, subprocess, sys
sys.path.insert(0, sys.argv[1])
from tamper_module import CARD, EVIDENCE, PROBES, changed, with_component

def modnet(*arguments):
    return subprocess.run(["modnet", *arguments], capture_output=True, text=True)

def signed(name):
    done = modnet("sign", f"{name}.mnet", "--key", "release.pem", "-f")
    assert done.returncode == 0, done.stderr
    assert modnet("verify", f"{name}.mnet", "--key", "release.pub.pem").returncode == 0
    return open(f"{name}.mnet", "rb").read()

def found(what, data):
    open("bad.mnet", "wb").write(data)
    done = modnet("verify", "bad.mnet", "--key", "release.pub.pem")
    lines = done.stderr.splitlines()
    ids = sorted({line.split(": ")[2] for line in lines})
    assert done.stdout == "" and all(line.startswith("modnet: bad.mnet:") for line in lines), done
    # Only the signatures can tell: without them nothing is wrong with it.
    keys = [one["key_id"] for one in json.loads(modnet("inspect", "bad.mnet", "--json").stdout)["signatures"]]
    dropped = modnet("sign", "bad.mnet", *[word for key in keys for word in ("--drop", key)], "-f")
    whole = dropped.returncode == 0 and modnet("verify", "bad.mnet").returncode == 0
    print(f"{what}: exit {done.returncode}, {' '.join(ids)}; unsigned: {'whole' if whole else 'broken'}")

backbone, converted, composite, nested = (signed(n) for n in ("backbone", "converted", "composite", "nested"))
found("name", changed(backbone, "index", b"sample-backbone", b"famous-backbone"))
found("version", changed(converted, "index", b"1.0.1", b"9.9.9"))
found("licence", changed(backbone, "index", b"Apache-2.0", b"MIT-000000"))
found("lineage", changed(converted, "index", b"converted-from", b"fine-tuned-on_"))
found("media type", changed(backbone, "index", b"text/plain", b"text/xhtml"))
found("name of a node", changed(backbone, "index", b"embeddings", b"other-name"))
state, outputs = 6, b""  # the last probe array of the sample (tests/support/module_samples.cc)
for _ in range(32):
    state = (state * 1664525 + 1013904223) % 2**32
    outputs += bytes([state >> 24])
found("probes", changed(backbone, PROBES, outputs, outputs[16:] + outputs[:16]))
found("card", changed(composite, CARD, b"Sample", b"Famous"))
found("evidence", changed(converted, EVIDENCE, b"convert bf16", b"convert int8"))
component = open(f"{sys.argv[1]}/../golden/files/encoder.mnet", "rb").read()
found("component", with_component(composite, component, changed(component, "index", b"1.0.0", b"1.0.9")))
# A forged module inside one that is signed: its own signatures tell.
inner = open(f"{sys.argv[1]}/../golden/files/composite.mnet", "rb").read()
found("component's card", with_component(nested, inner, changed(inner, CARD, b"Sample", b"Famous")))
EOF
