# A policy file says which keys must have signed which kinds; what it demands and does not get is exit 1, what is wrong with
# the file itself is exit 3 with its place.
. "$SOURCE/tests/support/make_keys.sh"
. "$SOURCE/tests/support/tiny_line.sh"
mkdir keys
fixed_key keys/release a
fixed_key keys/ci b
fixed_key keys/strange c
cp "$SOURCE/tests/golden/files/"{encoder,head,backbone,converted,composite}.mnet .
cat >policy.toml <<'EOF'
[keys]
release = "keys/release.pub.pem"
ci = "keys/ci.pub.pem"

[encoder]

[head]
all = ["release", "ci"]

[backbone]
any = ["release", "ci"]
evidence = "signed"
EOF
says modnet verify encoder.mnet --policy policy.toml
says modnet verify head.mnet backbone.mnet --policy policy.toml
modnet sign head.mnet --key keys/release.pem -f -q
says modnet verify head.mnet --policy policy.toml
modnet sign head.mnet --key keys/ci.pem -f -q
modnet sign backbone.mnet --key keys/ci.pem -f -q
(cd keys && modnet verify ../head.mnet ../backbone.mnet --policy ../policy.toml)
modnet sign converted.mnet --key keys/strange.pem -f -q
says modnet verify converted.mnet --policy policy.toml
says modnet verify converted.mnet --key keys/release.pub.pem
says modnet verify composite.mnet --policy policy.toml
modnet verify head.mnet --policy policy.toml --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["passed"], sorted((s["name"], s["holds"], s["component"]) for s in d["files"][0]["signatures"]))'

bad() {
  printf '%s\n' "[keys]" "release = \"keys/release.pub.pem\"" "$@" >bad.toml
  says modnet verify head.mnet --policy bad.toml
}
bad
bad "[heads]"
bad "[head]" "al = [\"release\"]"
bad "[head]" "all = [\"releese\"]"
bad "[head]" "all = \"release\""
bad "[head]" "any = []"
bad "[head]" "evidence = \"seen\""
bad "[head]" "components = 1"
bad "other = 3" "[any]"
bad "other = \"keys/none.pem\"" "[any]"
bad "other = \"keys/ci.pem\"" "[any]"
bad "[head"
says modnet verify head.mnet --policy none.toml
