# The registry from outside: the list, an explanation, ids that are none, and the manual page that is made from it.
. "$SOURCE/tests/support/tiny_line.sh"
modnet rules | head -3
modnet rules | wc -l
modnet rules SPACE_FINGERPRINT_MISMATCH LABEL_ADDED
says modnet rules SPACE_FINGERPRINT
says modnet rules no-such-rule
says modnet rules --man --json
modnet rules --man | diff - "$SOURCE/man/modnet-rules.7" && echo "the page is the registry"
modnet rules --json | python3 -c '
import json, sys
rules = json.load(sys.stdin)["rules"]
print(len(rules), sorted({rule["severity"] for rule in rules}), rules[4])'
