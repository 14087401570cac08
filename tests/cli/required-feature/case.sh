# A module that needs what this build does not know is refused with exit 5 wherever it is named, and named in a matrix.
cp "$SOURCE/tests/golden/files/"{nested,backbone}.mnet .
python3 -B - "$SOURCE/tests/support" <<'EOF'
import struct, sys
sys.path.insert(0, sys.argv[1])
from tamper_module import parts, sealed

# Its optional features become required ones: in the vtable of the index, fields 12 and 13 change places.
data = bytearray(open("nested.mnet", "rb").read())
index = parts(data)["index"][0]
root = index + struct.unpack_from("<I", data, index)[0]
fields = root - struct.unpack_from("<i", data, root)[0] + 4
required, optional = struct.unpack_from("<HH", data, fields + 2 * 12)
assert required == 0 and optional != 0
struct.pack_into("<HH", data, fields + 2 * 12, optional, required)
open("needs.mnet", "wb").write(sealed(bytes(data)))
EOF
says() { echo "\$ $*"; "$@" 2>&1; echo "exit $?"; }
says modnet inspect nested.mnet | grep -e exit -e extension
says modnet inspect needs.mnet
says modnet verify needs.mnet
says modnet extract needs.mnet inner -o inner.mnet
says modnet check needs.mnet
says modnet check backbone.mnet --against needs.mnet --evolution
says modnet check needs.mnet --baseline nested.mnet
says modnet inspect --diff nested.mnet needs.mnet
says modnet check --matrix backbone.mnet --against needs.mnet --require '*:*'
mkdir releases && cp needs.mnet releases
says modnet check backbone.mnet --baseline releases
ls
