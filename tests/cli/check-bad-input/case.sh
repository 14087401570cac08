# A check never passes because it could not look.
golden=$SOURCE/tests/golden/files
says() { "$@" 2>&1; echo "exit $?"; }
cp "$golden/backbone.mnet" a.mnet
cp "$golden/tiny.mnet" .
says modnet check nosuch.mnet
says modnet check a.mnet --against nosuch.mnet
says modnet check a.mnet --against a.mnet nosuch.mnet
head -c 5000 a.mnet >cut.mnet
says modnet check a.mnet --against cut.mnet
python3 -c '
data = bytearray(open("a.mnet", "rb").read())
data[int.from_bytes(data[16:24], "little") + 200] ^= 1  # in the index
open("flipped.mnet", "wb").write(data)'
says modnet check flipped.mnet
says modnet check tiny.mnet
says modnet check tiny.mnet --against tiny.mnet --evolution
says modnet check a.mnet a.mnet
says modnet check a.mnet --matrix
says modnet check a.mnet --edge --evolution --against a.mnet
says modnet check a.mnet --baseline . --against a.mnet
says modnet check a.mnet --require 'x:y'
says modnet check --matrix a.mnet --against a.mnet --require x
says modnet check a.mnet --against
says modnet check a.mnet --evolution
says modnet check a.mnet --against a.mnet --allow-undecidable SPACE_UNVERIFYED
says modnet check a.mnet --against a.mnet --space-tolerance 0.2
says modnet check a.mnet --against nosuch.mnet --json
