# Two versions of an encoder with other vocabularies: refused, with a text that shows it; with the same vocabulary there is
# nothing to show, and without running anything the digests say it alone.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_model old --name words
TINY_ORDER=reversed tiny_model new --name words --version 2.0.0
says modnet check new/encoder.mnet --against old/encoder.mnet | grep -A2 -e 'TOKENIZER_DIGEST_CHANGED' -e '^exit'
says modnet check new/encoder.mnet --against old/encoder.mnet --no-probes | grep -c 'for example the text'
says modnet check old/encoder.mnet --against old/encoder.mnet
