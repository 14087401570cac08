# One flipped bit anywhere in a module: verify exits 3 or 4, never 0, and says where.
files=$SOURCE/tests/golden/files
modnet verify "$files"/{tiny,encoder,backbone,backbone-zstd,head,composite,nested}.mnet >/dev/null || exit 1
python3 - "$files/head.mnet" <<'EOF'
import os, subprocess, sys
good = open(sys.argv[1], "rb").read()
exits = {}
for at in range(0, len(good), 37):
    bad = bytearray(good)
    bad[at] ^= 1 << (at % 8)
    open("bad.mnet", "wb").write(bad)
    done = subprocess.run(["modnet", "verify", "bad.mnet"], capture_output=True, text=True)
    line = done.stderr.split("\n")[0]
    assert done.returncode in (3, 4), (at, done)
    assert line.startswith("modnet: bad.mnet:"), (at, line)
    assert done.stdout == "", (at, done.stdout)
    exits[done.returncode] = exits.get(done.returncode, 0) + 1
print("all found; digest failures among them:", exits.get(4, 0) > 0)
EOF
