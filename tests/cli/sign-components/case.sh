# Signatures of components live on in a composite, are verified there, and a policy may ask for them.
. "$SOURCE/tests/support/make_keys.sh"
. "$SOURCE/tests/support/tiny_line.sh"
fixed_key release a
fixed_key author b
tiny_line
modnet sign class.mnet --key author.pem -f -q >/dev/null
modnet sign tiny/backbone.mnet --key release.pem -f -q >/dev/null
modnet attach-head tiny/backbone.mnet class.mnet --encoder tiny/encoder.mnet -o whole.mnet -q >/dev/null
modnet verify whole.mnet | tail -n +2
cat >policy.toml <<'EOF'
[keys]
release = "release.pub.pem"
author = "author.pub.pem"
[composite]
all = ["release"]
components = true
[backbone]
all = ["release"]
[head]
all = ["author"]
[encoder]
all = ["release"]
EOF
says modnet verify whole.mnet --policy policy.toml
modnet sign tiny/encoder.mnet --key release.pem -f -q >/dev/null
modnet attach-head tiny/backbone.mnet class.mnet --encoder tiny/encoder.mnet -o whole.mnet -f -q >/dev/null
modnet sign whole.mnet --key release.pem -f -q >/dev/null
says modnet verify whole.mnet --policy policy.toml
modnet predict whole.mnet test.tsv --text text --id id >signed.jsonl
modnet predict model.mnet test.tsv --text text --id id >plain.jsonl
cmp signed.jsonl plain.jsonl && echo "the same answers"

# Another head of the same length in its place, under the composite's own and the component's signature.
python3 -B - "$SOURCE/tests/support" <<'EOF'
import sys
sys.path.insert(0, sys.argv[1])
from tamper_module import changed, with_component
head = open("class.mnet", "rb").read()
other = changed(head, "index", b"1.0.0", b"1.0.1")
open("forged.mnet", "wb").write(with_component(open("whole.mnet", "rb").read(), head, other))
EOF
says modnet verify forged.mnet
