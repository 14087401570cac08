# A break that somebody answers for: the suggested entry completed, the last day, and entries that do nothing.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_model old
tiny_model new --max-length 8 --version 1.1.0
check() { says modnet check new/encoder.mnet --against old/encoder.mnet "$@"; }
check -v
modnet check new/encoder.mnet --against old/encoder.mnet --suggest-accept |
  sed -n '/^\[\[accept\]\]/,/^expires/p' | sed 's/^reason = ""/reason = "nobody sends long texts"/; s/^owner = ""/owner = "ann"/; s/^expires = ""/expires = "2026-12-31"/' >accept.toml
grep -c '^key' accept.toml
check --accept accept.toml --today 2026-12-31
check --accept accept.toml --today 2027-01-01
modnet check new/encoder.mnet --against old/encoder.mnet --accept accept.toml --today 2026-12-31 --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["today"], d["passes"], {f.get("acceptance", {}).get("owner") for f in d["checks"][0]["findings"] if f["accepted"]})'
modnet check new/encoder.mnet --against old/encoder.mnet --accept accept.toml --json | python3 -c '
import datetime, json, sys
day = json.load(sys.stdin)["today"]
assert abs((datetime.datetime.now(datetime.timezone.utc).date() - datetime.date.fromisoformat(day)).days) <= 1, day'
sed 's/^key = "\(.\{15\}\)./key = "\10/' accept.toml >other.toml
check --accept other.toml --today 2026-12-01
says modnet check old/encoder.mnet --against old/encoder.mnet --accept accept.toml --today 2026-12-01
sed 's/^owner/onwer/' accept.toml >typo.toml
check --accept typo.toml
grep -v reason accept.toml >bare.toml
check --accept bare.toml
echo '[[accept]' >bad.toml
check --accept bad.toml
check --accept nosuch.toml
check --accept accept.toml --today tomorrow
check --accept accept.toml --today 2026-02-30
