# Which check two modules get, from their kinds or as told; verdict, witness, required and declared bump.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_model old
tiny_model patch --version 1.0.1
tiny_model short --max-length 8 --version 1.1.0
tiny_model major --max-length 8 --version 2.0.0
says modnet check old/backbone.mnet
says modnet check patch/encoder.mnet --against old/encoder.mnet
says modnet check short/encoder.mnet --against old/encoder.mnet
says modnet check major/encoder.mnet --against old/encoder.mnet
says modnet check old/encoder.mnet --against short/encoder.mnet
echo "-- an edge, whichever is named first"
says modnet check old/encoder.mnet --against old/backbone.mnet
says modnet check old/backbone.mnet --against old/encoder.mnet
says modnet check old/encoder.mnet --against patch/backbone.mnet short/backbone.mnet
echo "-- as told"
says modnet check old/encoder.mnet --against old/backbone.mnet --evolution | sed -n '1p;$p'
says modnet check old/backbone.mnet --against old/backbone.mnet --edge
