# Of several failures the gravest decides the exit: damage, then what could not be read, then a missing signature.
. "$SOURCE/tests/support/make_keys.sh"
fixed_key release a
cp "$SOURCE/tests/golden/files/"{backbone,tiny}.mnet .
chmod u+w ./*.mnet
python3 -c '
data = bytearray(open("backbone.mnet", "rb").read())
data[-70] ^= 1
open("damaged.mnet", "wb").write(data)'
says() { echo "\$ $*"; "$@" 2>&1; echo "exit $?"; }
says modnet verify tiny.mnet --key release.pub.pem
says modnet verify tiny.mnet nosuch.mnet --key release.pub.pem
says modnet verify tiny.mnet nosuch.mnet damaged.mnet --key release.pub.pem
says modnet verify damaged.mnet nosuch.mnet tiny.mnet --key release.pub.pem
