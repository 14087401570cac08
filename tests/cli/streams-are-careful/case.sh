# Streams: a cut-off pipe is exit 3, a full disk exit 5, binary is not written to a terminal, --json with data on stdout is a
# usage error, raw text for a bare backbone says what is missing, an existing file needs -f.
modnet compose "$SOURCE/examples/fashion/pixels.toml" -o pixels.mnet >/dev/null
python3 -c '
import struct
open("p.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 500, 28, 28) + bytes(500 * 784))'
modnet encode pixels.mnet p.idx -o whole.arrow
modnet encode pixels.mnet p.idx -o whole.arrow
echo "exit $?"
modnet encode pixels.mnet p.idx -o whole.arrow -f
echo "exit $?"
modnet encode pixels.mnet p.idx -o - --json >/dev/null
echo "exit $?"
modnet encode pixels.mnet p.idx >/dev/full
echo "exit $?"
modnet compose "$SOURCE/examples/fashion/features.toml" -o features.mnet >/dev/null
modnet encode pixels.mnet p.idx | head -c 200000 | modnet embed features.mnet - -o cut.arrow
echo "exit $?"
ls cut.arrow 2>/dev/null || echo "nothing left behind"
echo some text | modnet embed features.mnet - -o text.arrow
echo "exit $?"
if command -v script >/dev/null; then
  script -qec 'modnet encode pixels.mnet p.idx; echo "exit $?"' /dev/null | tr -d '\r'
fi
