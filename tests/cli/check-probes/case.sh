# Spaces that differ by their fingerprints are decided by running the backbone on the head's probes, or by what was recorded.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
tiny_model cls --name cls --pooling cls
tiny_model same --name other
says modnet check tiny/backbone.mnet --against class.mnet
says modnet check cls/backbone.mnet --against class.mnet
says modnet check cls/backbone.mnet --against class.mnet --no-probes
says modnet check same/backbone.mnet --against class.mnet
says modnet check tiny/backbone.mnet --against tiny/backbone.mnet --probes
says modnet check cls/backbone.mnet --against tiny/backbone.mnet --evolution
says modnet check tiny/backbone.mnet --against class.mnet --probes --no-probes
says modnet check --matrix tiny/backbone.mnet --against class.mnet --probes
