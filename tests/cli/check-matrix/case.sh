# Every pair in one table; only pairs that were asked for decide, and cells that cannot be read.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
tiny_model cls --name cls --pooling cls
mkdir heads backbones
cp class.mnet heads
cp tiny/backbone.mnet backbones/mean.mnet
cp cls/backbone.mnet backbones/cls.mnet
says modnet check --matrix heads/*.mnet --against backbones/*.mnet
says modnet check --matrix heads/*.mnet --against backbones/*.mnet --require 'class:*mean.mnet' -q
says modnet check --matrix heads/*.mnet --against backbones/*.mnet --require 'cl*:cls' -q
says modnet check --matrix heads/*.mnet --against backbones/*.mnet --require 'class@1.0.0:cls@1.0.0' -q --allow-undecidable SPACE_UNVERIFIED
says modnet check --matrix heads/*.mnet --against backbones/*.mnet --require 'class:nothing'
head -c 100 class.mnet >heads/cut.mnet
says modnet check --matrix heads/*.mnet --against backbones/*.mnet -q
modnet check --matrix heads/cut.mnet --against backbones/mean.mnet --json -q | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["verdict"], d["passes"], [(c["verdict"], c["counts"], c["error"]["id"], c["error"]["file"]) for c in d["checks"]])'
