# Signing adds a signature and changes nothing else; several keys sign in any order; one is replaced, one is dropped.
. "$SOURCE/tests/support/make_keys.sh"
fixed_key release a
fixed_key ci b
cp "$SOURCE/tests/golden/files/backbone.mnet" bare.mnet
modnet sign bare.mnet --key release.pem -o one.mnet
modnet verify one.mnet
modnet inspect one.mnet | sed -n 2p
python3 - <<'EOF'
import struct
one, bare = open("one.mnet", "rb").read(), open("bare.mnet", "rb").read()
index, length = struct.unpack_from("<QQ", bare, 16)
print("segments and index are the same bytes:", one[128 : index + length] == bare[128 : index + length])
EOF

# Two more ways to the same bytes: another order, and in place.
modnet sign one.mnet --key ci.pem -o both.mnet -q
modnet sign bare.mnet --key ci.pem -o other.mnet -q
modnet sign other.mnet --key release.pem -f
cmp both.mnet other.mnet && echo "the order does not matter"
modnet sign both.mnet --key ci.pem -f
cmp both.mnet other.mnet && echo "signing again changes nothing"
modnet verify both.mnet --key release.pub.pem --key ci.pub.pem
modnet inspect both.mnet --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["signed"], [s["key_id"] for s in d["signatures"]], d["statement"][:20])'

# And back again, to the bytes of the unsigned file.
id=$(modnet inspect one.mnet --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["signatures"][0]["key_id"])')
modnet sign both.mnet --drop "$id" -o ci-only.mnet
modnet sign other.mnet --drop "$id" --key release.pem --dry-run -f
modnet sign one.mnet --drop "$id" -f -q
cmp one.mnet bare.mnet && echo "unsigned again"

# Through pipes, with a document, and with keys that have a passphrase.
modnet sign - --key release.pem -o - <bare.mnet | modnet verify - --key release.pub.pem
openssl pkey -in release.pem -aes256 -passout pass:geheim -out locked.pem
SECRET=geheim modnet sign bare.mnet --key locked.pem --passphrase-env SECRET -o locked.mnet --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["schema"], d["file"], d["output"], d["dry_run"], d["dropped"], len(d["signatures"]), d["signatures"][0]["key_id"] == d["signed_by"])'
printf 'geheim\nnot this line\n' >secret
modnet sign bare.mnet --key locked.pem --passphrase-file secret -o again.mnet -q && cmp locked.mnet again.mnet && echo "either way"
