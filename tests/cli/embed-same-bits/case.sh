# A row's bits do not depend on --batch-size, --threads, the CPU's code path or the order of the items.
. "$SOURCE/tests/support/tiny_line.sh"
set -e
tiny_model tiny
make_texts 70 >texts.tsv
embed() { modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet --id id "$@" -o - -q | sha256sum | cut -c 1-64; }
first=$(embed texts.tsv)
same() { [ "$(embed texts.tsv "$@")" = "$first" ] || echo "other bytes with ${MODNET_CPU:-default} $*"; }
for size in 1 3 1000; do
  for threads in 1 2; do same --batch-size $size --threads $threads; done
done
targets=$(modnet capabilities --json | python3 -c '
import json, sys
print(*json.load(sys.stdin)["cpu"]["targets"])')
for target in $targets; do MODNET_CPU=$target same; done
case " $targets " in *" scalar "*) echo "the same bytes everywhere, the scalar path among them" ;; *) echo "no scalar path: $targets" ;; esac
MODNET_CPU=abacus modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet texts.tsv -o no.arrow 2>err || echo "exit $?"
grep -c "abacus" err
# Another order: the same values under each id.
{ head -n 1 texts.tsv; tail -n +2 texts.tsv | tac; } >reversed.tsv
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet --id id texts.tsv -o texts.arrow
modnet embed tiny/backbone.mnet --encoder tiny/encoder.mnet --id id reversed.tsv -o reversed.arrow
python3 -B "$SOURCE/tests/support/arrow_rows.py" texts.arrow | sort >texts.rows
python3 -B "$SOURCE/tests/support/arrow_rows.py" reversed.arrow | sort >reversed.rows
cmp texts.rows reversed.rows && wc -l <texts.rows
