# The whole history, not the latest version: within a major every version must be compatible, across majors the bump suffices.
. "$SOURCE/tests/support/tiny_line.sh"
mkdir releases
release() { tiny_model "v$1" --version "$1" --name tiny "${@:2}" && cp "v$1/encoder.mnet" "releases/$1.mnet"; }
release 1.0.0
release 1.1.0 --max-length 8
tiny_model next --version 1.2.0 --name tiny --max-length 8
says modnet check next/encoder.mnet --baseline releases
tiny_model next2 --version 2.0.0 --name tiny --max-length 8
says modnet check next2/encoder.mnet --baseline releases
tiny_model fix --version 1.0.1 --name tiny
rm releases/1.1.0.mnet
release 3.0.0 --max-length 8
says modnet check fix/encoder.mnet --baseline releases
says modnet check fix/encoder.mnet --baseline releases/1.0.0.mnet
echo "-- the module itself and others are no history"
mkdir other
cp fix/backbone.mnet fix/encoder.mnet other
says modnet check fix/encoder.mnet --baseline other
says modnet check fix/encoder.mnet --baseline nosuch
head -c 100 fix/encoder.mnet >releases/cut.mnet
says modnet check fix/encoder.mnet --baseline releases
says modnet check nosuch.mnet --baseline releases
