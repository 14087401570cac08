# --depfile that cannot be kept: no output to depend on, a name that make would read as something else, a file in the way. Without
# success there is no dependency file.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
says modnet encode tiny/encoder.mnet test.tsv --text text -o - --depfile x.d
says modnet encode tiny/encoder.mnet test.tsv --text text --depfile x.d
says modnet encode tiny/encoder.mnet test.tsv --text text -o x.arrow --depfile -
says modnet encode tiny/encoder.mnet test.tsv --text text -o x.arrow --depfile x.d --dry-run
cp test.tsv 'day=1.tsv'
says modnet encode tiny/encoder.mnet day=1.tsv --text text -o x.arrow --depfile x.d
says modnet encode tiny/encoder.mnet test.tsv --text nothing -o x.arrow --depfile x.d
says modnet encode tiny/encoder.mnet test.tsv --text text -o x.arrow --depfile test.tsv
says modnet encode tiny/encoder.mnet test.tsv --text text -o x.arrow --depfile test.tsv -f
says modnet encode tiny/encoder.mnet test.tsv --text text -o x.arrow --depfile x.arrow
says modnet encode tiny/encoder.mnet test.tsv --text text -o x.arrow --depfile nowhere/x.d
ls -A | grep x
tail -n +2 test.tsv | cut -f 3 | modnet encode tiny/encoder.mnet - -o x.arrow --depfile x.d && cat x.d
says modnet encode tiny/encoder.mnet test.tsv --text text -o y.arrow --depfile x.d
says modnet eval model.mnet test.tsv --depfile x.d
