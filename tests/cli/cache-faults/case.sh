# Nothing in a cache's folder ends a command: what is damaged or foreign is computed, a folder that cannot be written is one
# warning. What a user gets wrong is said.
. "$SOURCE/tests/support/tiny_line.sh"
set -e
tiny_line
embed() { modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet test.tsv --label class --id id "$@"; }
embed -o plain.arrow
look_ups() {
  python3 -c '
import json, sys
cache = json.load(sys.stdin)["cache"]
print(sys.argv[1] + ":", *(f"{name} {cache[name]}" for name in ("hits", "misses", "stored", "damaged")))' "$1"
  cmp plain.arrow now.arrow
}

echo "-- damage"
embed --cache c --json -o now.arrow | look_ups "first"
# CHANGE: an expression in Python that changes bytes_, those of the only segment of a copy of the cache.
damage() {
  rm -rf d
  cp -r c d
  python3 -c '
import os, pathlib, sys
[path] = pathlib.Path("d").glob("embeddings-1/*/0*")
bytes_ = bytearray(path.read_bytes())
exec(sys.argv[1])
path.write_bytes(bytes_)' "$1"
  embed --cache d --json -o now.arrow -f | look_ups "$1"
  embed --cache d --json -o now.arrow -f | look_ups "  then"
}
damage 'bytes_[3000] ^= 4'
damage 'bytes_[70] ^= 4'
damage 'bytes_[0] ^= 4'
damage 'bytes_[8] ^= 4'
damage 'del bytes_[2000:]'
damage 'bytes_[:] = os.urandom(5000)'
damage 'bytes_[:] = b""'

echo "-- two at once"
embed --cache two --json -o one.arrow >one.json &
embed --cache two --json -o two.arrow >two.json
wait $!
cmp plain.arrow one.arrow && cmp plain.arrow two.arrow
embed --cache two --json -o now.arrow -f | look_ups "afterwards"

echo "-- folders that cannot be written"
touch file
says embed --cache file -o no.arrow || true
says embed --cache file/below -o now.arrow -f || true
cmp plain.arrow now.arrow
(ulimit -f 2; trap '' XFSZ; modnet predict model.mnet test.tsv --cache full 2>&1 >/dev/null)
says embed --cache c --cache-size 1k -o no.arrow || true
MODNET_CACHE_SIZE=lots says embed --cache c -o no.arrow || true
says embed --cache c --policy vendor -o no.arrow || true
HOME='' XDG_CACHE_HOME='' says embed --cache auto -o no.arrow || true
