# extract gives back the very file that was attached, at any depth, through a file or a pipe; a wrong name says which there are,
# a composite that was tampered with is refused, and nothing is left behind.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
for part in encoder backbone class; do
  modnet extract model.mnet "$part" -o "$part.out" -q >/dev/null
  echo "$part exit $?"
done
cmp encoder.out tiny/encoder.mnet && cmp backbone.out tiny/backbone.mnet && cmp class.out class.mnet && echo "the same bytes"
modnet extract model.mnet class | cmp - class.mnet && modnet extract - class <model.mnet | cmp - class.mnet && echo "through pipes, too"
# Components of components, shared slots and trailers of their own (see tests/support/module_samples.cc).
golden=$SOURCE/tests/golden/files
cp "$golden/nested.mnet" .
modnet extract nested.mnet inner/backbone -o b.mnet | sed 's/sha256.*//'
cmp b.mnet "$golden/backbone.mnet" && echo "the same bytes at depth 2"
modnet extract nested.mnet inner -o c.mnet -q >/dev/null && cmp c.mnet "$golden/composite.mnet" && echo "a composite in a composite"
says modnet extract model.mnet class -o class.out
says modnet extract model.mnet class -f -o class.out --dry-run | sed 's/[0-9.]* [kMG]*B.*//'
says modnet extract model.mnet head -o none.mnet
says modnet extract nested.mnet inner/tail -o none.mnet
says modnet extract nested.mnet inner/ -o none.mnet
says modnet extract class.mnet backbone -o none.mnet
says modnet extract missing.mnet backbone -o none.mnet
says modnet extract model.mnet backbone --json -o -
# Another module where the component lay: its preamble no longer is what the composite says.
python3 - <<'END'
data = bytearray(open("model.mnet", "rb").read())
part = open("class.mnet", "rb").read()
at = data.index(part)
data[at + 121] ^= 1
open("damaged.mnet", "wb").write(data)
END
says modnet extract damaged.mnet class -o none.mnet
ls none.mnet 2>/dev/null || echo "nothing left behind"
modnet extract model.mnet class -f -o class.out --json >report.json && python3 - <<'END'
import hashlib, json
report, part = json.load(open("report.json")), open("class.mnet", "rb").read()
print(report["schema"], report["kind"], report["bytes"] == len(part), report["file_digest"] == hashlib.sha256(part[:128]).hexdigest())
END
