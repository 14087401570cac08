# What convert does not do, each with its reason; nothing is left behind.
. "$SOURCE/tests/support/tiny_line.sh"
. "$SOURCE/tests/support/make_recipes.sh"
tiny_line
refuses() { says modnet convert "$@" -o out.mnet; }
refuses class.mnet --dtype bf16
refuses tiny/encoder.mnet --dtype bf16
refuses model.mnet --dtype bf16
refuses tiny/backbone.mnet
refuses tiny/backbone.mnet --dtype f8
refuses tiny/backbone.mnet --dtype bf16 --space-tolerance 0.2
refuses tiny/backbone.mnet --dtype bf16 --version 1.0.0
refuses tiny/backbone.mnet --dtype bf16 --version one
# Beyond the tolerance: exit 1 with the figures and a witness or none.
refuses tiny/backbone.mnet --dtype bf16 --space-tolerance 0
refuses tiny/backbone.mnet --dtype bf16 --space-tolerance 0 --json
modnet convert tiny/backbone.mnet --dtype bf16 -o bf16.mnet -q >/dev/null
refuses bf16.mnet --dtype f16
says modnet convert tiny/backbone.mnet --dtype f16 -o bf16.mnet
ls out.mnet 2>/dev/null || echo "nothing left behind"
# Weights beyond f16's range: that matrix stays f32, and the rest is measured; nothing is left where it is the only one.
make_recipes
sed -e 's/std = 0.3/std = 100000.0/' features.toml >one.toml
sed -e '/^op = "cos"/,$d' one.toml >large.toml
printf 'op = "tanh"\n\n[[layer]]\nop = "linear"\nout = 32\ninit = "normal"\nstd = 0.3\nseed = 2\n\n' >>large.toml
sed -n '/^\[output\]/,$p' features.toml >>large.toml
for name in one large; do
  modnet compose $name.toml -o $name.mnet -q >/dev/null
  says modnet convert $name.mnet --dtype f16 -o $name-f16.mnet
done
