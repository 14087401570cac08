# What cannot be signed, and keys that are none: one line each, nothing written.
. "$SOURCE/tests/support/make_keys.sh"
. "$SOURCE/tests/support/tiny_line.sh"
fixed_key release a
fixed_key other b
cp "$SOURCE/tests/golden/files/backbone.mnet" m.mnet
openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out elliptic.pem 2>/dev/null
openssl genpkey -algorithm ed448 -out ed448.pem
openssl genpkey -algorithm rsa -out rsa.pem 2>/dev/null
openssl pkey -in rsa.pem -pubout -out rsa.pub.pem
openssl pkey -in release.pem -aes256 -passout pass:geheim -out locked.pem
echo "no key" >text.pem
printf 'falsch' >wrong
says modnet sign m.mnet --key nosuch.pem -o out.mnet
says modnet sign m.mnet --key text.pem -o out.mnet
for key in elliptic ed448 rsa release.pub; do says modnet sign m.mnet --key $key.pem -o out.mnet; done
says modnet sign m.mnet --key locked.pem -o out.mnet
says modnet sign m.mnet --key locked.pem --passphrase-file wrong -o out.mnet
says env -u NONE modnet sign m.mnet --key locked.pem --passphrase-env NONE -o out.mnet
says modnet sign m.mnet --key locked.pem --passphrase-env HOME --passphrase-file wrong -o out.mnet
says modnet sign m.mnet --key release.pem
says modnet sign m.mnet -o out.mnet
says modnet sign m.mnet --drop 0123456789abcdef -o out.mnet
says modnet sign nosuch.mnet --key release.pem -o out.mnet
says modnet verify m.mnet --key rsa.pub.pem
says modnet verify m.mnet --key release.pem
says modnet verify m.mnet --key nosuch.pem
says modnet verify m.mnet m.mnet --statement

# A module that is damaged is not vouched for; a signature that does not hold must go first.
cp m.mnet damaged.mnet
printf X | dd of=damaged.mnet bs=1 seek=130 conv=notrunc status=none
says modnet sign damaged.mnet --key release.pem -o out.mnet
modnet sign m.mnet --key release.pem -o signed.mnet -q
python3 -B - "$SOURCE/tests/support" <<'EOF'
import sys
sys.path.insert(0, sys.argv[1])
from tamper_module import changed
open("forged.mnet", "wb").write(changed(open("signed.mnet", "rb").read(), "index", b"sample-backbone", b"famous-backbone"))
EOF
says modnet sign forged.mnet --key other.pem -o out.mnet
ls out.mnet 2>&1
says modnet sign forged.mnet --key release.pem -o out.mnet
