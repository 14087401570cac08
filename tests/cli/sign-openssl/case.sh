# Somebody without modnet checks a signature with openssl alone, given the line that was signed; openssl makes the same one.
. "$SOURCE/tests/support/make_keys.sh"
set -e
fixed_key key a
cp "$SOURCE/tests/golden/files/head.mnet" head.mnet
modnet sign head.mnet --key key.pem -o m.mnet
modnet verify m.mnet --statement >statement
cat statement
modnet verify m.mnet --json >verified.json
python3 -c '
import json
s = json.load(open("verified.json"))["files"][0]["signatures"][0]
open("signature", "wb").write(bytes.fromhex(s["signature"]))
open("public", "wb").write(bytes.fromhex(s["public_key"]))'
openssl pkeyutl -verify -pubin -inkey key.pub.pem -rawin -in statement -sigfile signature
openssl pkey -pubin -in key.pub.pem -outform DER | tail -c 32 | cmp - public && echo "the same key"
id=$(openssl pkey -pubin -in key.pub.pem -outform DER | tail -c 32 | openssl dgst -sha256 -r | cut -c1-16)
grep -q "\"key_id\": *\"$id\"" verified.json && echo "the same id"
# Ed25519 is deterministic: openssl signs the same line to the same bytes.
openssl pkeyutl -sign -inkey key.pem -rawin -in statement -out again
cmp signature again && echo "the same signature"
sed 's/sha256:./sha256:x/' statement >other
! openssl pkeyutl -verify -pubin -inkey key.pub.pem -rawin -in other -sigfile signature
