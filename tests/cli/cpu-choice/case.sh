# MODNET_CPU forces a set of instructions; an unknown one is refused; the bits do not change.
modnet compose "$SOURCE/examples/fashion/pixels.toml" -o pixels.mnet >/dev/null
modnet compose "$SOURCE/examples/fashion/features.toml" -o features.mnet >/dev/null
python3 -c '
import struct
open("p.idx", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, 50, 28, 28) + bytes((i * 7919) % 251 for i in range(50 * 784)))'
for target in $(modnet capabilities --json | python3 -c 'import json, sys; print(*json.load(sys.stdin)["cpu"]["targets"])'); do
  MODNET_CPU=$target modnet embed features.mnet --encoder pixels.mnet p.idx -o - 2>err.$target | sha256sum
done | sort -u | wc -l
# Where multiply-add is not one instruction, a warning says so; elsewhere nothing is said.
for target in avx512vnni avx512 avx2; do [ ! -s err.$target ] || echo "$target: $(cat err.$target)"; done 2>/dev/null
cat err.scalar
MODNET_CPU=i386 modnet embed features.mnet --encoder pixels.mnet p.idx -o x.arrow 2>err
echo "exit $?"
grep -o "i386" err | head -n 1
ls x.arrow 2>/dev/null
exit 0
