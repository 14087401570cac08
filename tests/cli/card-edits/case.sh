# The card is shown, set, merged and exported; content and payload stay byte for byte; what is wrong is refused with its
# place; signatures are dropped only when asked; a new version needs a log.
. "$SOURCE/tests/support/tiny_line.sh"
tiny_line
cp class.mnet c.mnet
says modnet card c.mnet --set intended_use='words of two kinds' --set authors.0=Ada --licence MIT -f
says modnet card c.mnet --version 1.1.0 -f
says modnet card c.mnet --version 1.0.0 --log x -f
says modnet card c.mnet --version 1.1.0 --log 'a wider <use>' --date 2026-11-25 -o d.mnet
modnet card d.mnet | grep -v '^  {'
modnet inspect d.mnet --card | cmp - <(modnet card d.mnet) && echo "inspect shows the same"
modnet card d.mnet --export md
cat >edit.toml <<'END'
limitations = "none that we know"
contact = "a@example.org"
[extra]
team = "words"
END
says modnet card d.mnet --edit edit.toml -f -q
echo '{"training": {}}' >bad.json
says modnet card d.mnet --edit bad.json -o e.mnet
says modnet card d.mnet --set metrics.0.value=1 -o e.mnet
says modnet card d.mnet --set colour=red -o e.mnet
says modnet card d.mnet --set intended_use -o e.mnet
says modnet card d.mnet --set contact=x
says modnet card d.mnet --export md -f
ls e.mnet 2>/dev/null || echo "nothing left behind"
modnet verify d.mnet -q >/dev/null && echo "whole"
python3 - <<'END'
import json, struct
def segments(name):
    data = open(name, "rb").read()
    return data[128:struct.unpack_from("<Q", data, 16)[0]]
print("payload", segments("d.mnet") == segments("class.mnet"))
END
for file in class.mnet d.mnet; do modnet inspect $file --json | grep '^  "content"'; done | uniq | wc -l
for file in class.mnet d.mnet; do
  modnet card $file --json | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["card"]["training"]))'
done | uniq | wc -l
openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
modnet sign d.mnet --key key.pem -f -q >/dev/null
says modnet card d.mnet --set contact=b@example.org -f
says modnet card d.mnet --set contact=b@example.org --drop-signatures -f -q
says modnet card "$SOURCE/tests/golden/files/composite.mnet" 2>&1 | sed 's|[^ ]*/tests|tests|'
