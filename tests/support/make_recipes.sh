# make_recipes: recipes of an image line on pictures of 6×6 in the current folder: pixels.toml, features.toml, by-file.toml.
make_recipes() {
  cat >pixels.toml <<'R'
name = "pixels"
kind = "encoder"

[input]
name = "image"
dtype = "u8"
dims = [6, 6]
semantic = "image"

[[layer]]
op = "scale"
scale = 0.00390625
offset = 0.0

[output]
name = "pixels"
semantic = "features"
R
  cat >features.toml <<'R'
name = "waves"
kind = "backbone"

[input]
encoder = "pixels.toml"

[[layer]]
op = "flatten"

[[layer]]
op = "linear"
out = 64
init = "normal"
std = 0.3
bias = "uniform"
seed = 1

[[layer]]
op = "cos"

[output]
name = "embedding"
semantic = "embedding"

[space]
id = "tiny/waves"
version = "1"
metric = "l2"
R
  cat >by-file.toml <<'R'
name = "both"

[[layer]]
module = "pixels.mnet"

[[layer]]
module = "features.mnet"
slot = "waves"
R
}
