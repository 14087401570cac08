# train-head: the same bytes of head at one thread and two, on a second run, from a recipe, with another CPU's code; a flag
# overrides the recipe's key.
. "$SOURCE/tests/support/tiny_line.sh"
set -e
tiny_line
train() { modnet train-head --features train.arrow --name class -q "$@" >/dev/null; }
train -o one.mnet --threads 1
train -o two.mnet --threads 2
train -o again.mnet --threads 2
MODNET_CPU=scalar train -o scalar.mnet
cmp one.mnet two.mnet && cmp one.mnet again.mnet && cmp one.mnet scalar.mnet && echo "logistic: the same bytes"
train -o r1.mnet --solver ridge --threads 1
train -o r2.mnet --solver ridge --threads 2
cmp r1.mnet r2.mnet && echo "ridge: the same bytes"
cat >class.toml <<'R'
features = "train.arrow"
kind = "classification"
name = "class"
strength = [0.1, 1, 10]
holdout = 0.25
seed = 3
R
modnet train-head class.toml -o recipe.mnet -q >/dev/null
train --kind classification --strength 0.1 --strength 1 --strength 10 --holdout 0.25 --seed 3 -o flags.mnet
cmp recipe.mnet flags.mnet && echo "a recipe says what flags say"
modnet train-head class.toml -o - | cmp - recipe.mnet && echo "on standard output there is the head and nothing else"
modnet train-head class.toml --holdout 0.4 --name other -o over.mnet --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["schema"], d["name"], d["rows"], d["holdout_rows"], [p["strength"] for p in d["path"]], d["seed"], d["class_counts"], d["labels"])'
set +e
sed 's/^holdout/holdoot/' class.toml >wrong.toml
says modnet train-head wrong.toml -o w.mnet
sed 's/0.25/"much"/' class.toml >wrong.toml
says modnet train-head wrong.toml -o w.mnet
sed 's/0.25/0.75/' class.toml >wrong.toml
says modnet train-head wrong.toml -o w.mnet
ls w.mnet 2>/dev/null || echo "nothing left behind"
