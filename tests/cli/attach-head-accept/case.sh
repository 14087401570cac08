# A foreign space that somebody answers for goes into a composite, which then runs; what was accepted is said.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
tiny_model cls --name cls --pooling cls
attach() { says modnet attach-head cls/backbone.mnet class.mnet --encoder cls/encoder.mnet "$@"; }
attach -o wrong.mnet | sed 's/fingerprint [0-9a-f]*/fingerprint …/g'
modnet check cls/backbone.mnet --against class.mnet --suggest-accept |
  sed -n '/^\[\[accept\]\]/,/^expires/p' | sed 's/^reason = ""/reason = "to see what a shape check would let through"/; s/^owner = ""/owner = "ann"/; s/^expires = ""/expires = "2026-12-31"/' >accept.toml
attach -o wrong.mnet --accept accept.toml --today 2026-12-01 | sed 's/fingerprint [0-9a-f]*/fingerprint …/g; s/sha256:[0-9a-f]*/sha256:…/'
modnet predict wrong.mnet test.tsv --text text --csv -q | wc -l
modnet inspect wrong.mnet --card --json | python3 -c '
import json, sys
card = json.load(sys.stdin)["card"]
card = json.loads(card) if isinstance(card, str) else card
print([(a["rule"], a["owner"], a["expires"]) for a in card["accepted"]])'
attach -f -o wrong.mnet --accept accept.toml --today 2027-01-01
says modnet attach-head tiny/backbone.mnet class.mnet -o right.mnet --accept accept.toml --today 2026-12-01
ls right.mnet 2>&1
