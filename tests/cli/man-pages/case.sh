# Every command has a page that lists exactly its options and arguments; every page is clean for mandoc and groff; modnet.1
# names every command.
command -v mandoc >/dev/null && command -v groff >/dev/null || { echo "skipped: no mandoc or groff"; exit 77; }
cd "$SOURCE/man" || exit 1
for page in *.[157]; do
  mandoc -T lint -W warning "$page" || echo "$page: mandoc is not content"
  groff -mdoc -ww -z "$page" 2>&1
done
modnet capabilities --json >"$OLDPWD/capabilities.json"
cd "$OLDPWD" || exit 1
python3 - "$SOURCE/man" <<'EOF'
import json, os, re, sys

commands = json.load(open("capabilities.json"))["commands"]
overview = open(os.path.join(sys.argv[1], "modnet.1")).read()
pages = {name for name in os.listdir(sys.argv[1]) if re.fullmatch(r"modnet-.*\.1", name)}
for command in commands:
    name = f"modnet-{command['name']}.1"
    if f".It Xr modnet-{command['name']} 1" not in overview:
        print(f"modnet.1 does not list {command['name']}")
    if name not in pages:
        print(f"{name} is missing")
        continue
    pages.remove(name)
    text = open(os.path.join(sys.argv[1], name)).read()
    documented = set(re.findall(r"\bFl -([a-z0-9-]+)", text))
    letters = set(re.findall(r"\bFl ([A-Za-z])\b", text))
    declared = {option["name"] for option in command["options"]}
    short = {option["short"] for option in command["options"] if "short" in option}
    for what, one, other in [("not documented", declared, documented), ("no such option", documented, declared),
                             ("letter not documented", short, letters), ("no such letter", letters, short)]:
        for option in sorted(one - other):
            print(f"{name}: {what}: {option}")
    for argument in command["arguments"]:
        if f"Ar {argument['name']}" not in text:
            print(f"{name}: argument {argument['name']} is not documented")
for name in sorted(pages):
    print(f"{name}: no such command")
EOF
