# The label of a backbone, an encoder, a composite and a head, in the columns that people learn to read.
cd "$SOURCE/tests/golden/files" || exit 1
for name in encoder backbone backbone-zstd composite head; do
  modnet inspect $name.mnet
  echo
done
modnet inspect - <encoder.mnet | head -n 1
