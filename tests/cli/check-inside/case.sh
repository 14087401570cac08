# Composites are checked inside: a head that was replaced is an evolution of its slot, also where the outside stays the same.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
says modnet check model.mnet
says modnet check model.mnet --against model.mnet
tiny_model short --max-length 8 --version 1.0.1
modnet attach-head short/backbone.mnet class.mnet --encoder short/encoder.mnet --version 1.0.1 -o short.mnet -q >/dev/null
says modnet check short.mnet --against model.mnet
says modnet check model.mnet --against class.mnet
says modnet check model.mnet --against tiny/backbone.mnet
