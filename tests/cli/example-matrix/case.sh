# examples/matrix/matrix.sh: one table of heads and backbones; a promise that is broken exits 1.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
awk -F'\t' -v OFS='\t' 'NR == 1 { print $0, "words"; next } { print $0, split($3, unused, " ") }' train.tsv >counted.tsv
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet counted.tsv --label words --id id -o counted.arrow -q
modnet train-head --features counted.arrow --kind regression --name length -o length.mnet -q >/dev/null
TINY_SEED=1 tiny_model other
mkdir heads backbones
cp class.mnet length.mnet heads
cp tiny/backbone.mnet backbones/tiny.mnet
cp other/backbone.mnet backbones/other.mnet
says "$SOURCE/examples/matrix/matrix.sh" "$SOURCE/examples/matrix/promised.txt" heads backbones
echo "class:other" >promised.txt
says "$SOURCE/examples/matrix/matrix.sh" promised.txt heads backbones
