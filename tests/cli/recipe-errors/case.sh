# A recipe's mistakes: exit 3, file with line and column, what was expected, and a near name.
try() { cat >r.toml; modnet compose r.toml -o m.mnet; echo "exit $?" >&2; }
try <<<'name = "x'
try <<<'nam = "x"'
try <<'R'
name = 3
kind = "encoder"
R
sed 's/^scale = /scael = /' "$SOURCE/examples/fashion/pixels.toml" | try
sed 's/op = "scale"/op = "sclae"/' "$SOURCE/examples/fashion/pixels.toml" | try
try <<<'when = 2026-11-23'
modnet train-head <(echo 'nmae = "x"') -o h.mnet 2>&1 | sed 's|/dev/fd/[0-9]*|FD|'
ls m.mnet h.mnet 2>/dev/null || echo nothing left behind
