#!/bin/bash
# Runs one command-line case: CASE/case.sh in a fresh folder, then compares what it printed and how it ended with
# CASE/expected.stdout, .stderr and .exit (missing: nothing printed, exit 0). In expected files `[..]` stands for any text
# within a line and a line `...` for any number of lines. MODNET_BLESS=1 writes the expected files instead (then put the
# wildcards back). A case that exits 77 is skipped. Tested by tests/cli/runner-*, which run it on cases that must fail.
set -u
case=$(cd "$1" && pwd) || exit 2
MODNET=$(readlink -f "$2")
export MODNET CASE=$case SOURCE=${SOURCE:-$(cd "$case/../../.." && pwd)}
export RUN_CASE; RUN_CASE=$(readlink -f "$0")
export MODNET_SHARED=${MODNET_SHARED:-$SOURCE/../shared}
work=$(mktemp -d "${TMPDIR:-/tmp}/modnet-case.XXXXXX") || exit 2
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/run"
ln -s "$MODNET" "$work/bin/modnet"
export PATH=$work/bin:$PATH LC_ALL=C.UTF-8 TERM=xterm COLUMNS=80
unset NO_COLOR XDG_CACHE_HOME MODNET_CPU MODNET_CACHE MODNET_CACHE_SIZE
(cd "$work/run" && exec bash "$case/case.sh" >"$work/stdout" 2>"$work/stderr" </dev/null)
got_exit=$?
[ $got_exit -eq 77 ] && { cat "$work/stdout"; exit 77; }

if [ "${MODNET_BLESS:-}" = 1 ]; then
  rm -f "$case"/expected.*
  [ -s "$work/stdout" ] && cp "$work/stdout" "$case/expected.stdout"
  [ -s "$work/stderr" ] && cp "$work/stderr" "$case/expected.stderr"
  [ $got_exit -ne 0 ] && echo $got_exit >"$case/expected.exit"
  exit 0
fi

failed=0
want_exit=$(cat "$case/expected.exit" 2>/dev/null || echo 0)
if [ "$got_exit" != "$want_exit" ]; then
  echo "exit: expected $want_exit, got $got_exit"
  failed=1
fi
for stream in stdout stderr; do
  expected=$case/expected.$stream
  [ -e "$expected" ] || expected=/dev/null
  if ! awk -v expected="$expected" '
    function line_matches(want, got,   parts, n, i, at) {
      n = split_wild(want, parts)
      if (n == 1) return want == got
      if (substr(got, 1, length(parts[1])) != parts[1]) return 0
      got = substr(got, length(parts[1]) + 1)
      for (i = 2; i < n; i++) {
        at = parts[i] == "" ? 1 : index(got, parts[i])
        if (!at) return 0
        got = substr(got, at + length(parts[i]))
      }
      return length(got) >= length(parts[n]) && substr(got, length(got) - length(parts[n]) + 1) == parts[n]
    }
    function split_wild(text, parts,   n, at) {
      n = 0
      while ((at = index(text, "[..]")) > 0) {
        parts[++n] = substr(text, 1, at - 1)
        text = substr(text, at + 4)
      }
      parts[++n] = text
      return n
    }
    function matches(i, j) {
      while (i <= wants) {
        if (want[i] == "...") {
          for (; j <= gots + 1; j++) if (matches(i + 1, j)) return 1
          return 0
        }
        if (j > gots || !line_matches(want[i], got[j])) {
          if (i > far) { far = i; far_got = j }
          return 0
        }
        i++; j++
      }
      if (j <= gots && i > far) { far = i; far_got = j }
      return j > gots
    }
    { got[++gots] = $0 }
    END {
      while ((getline line < expected) > 0) want[++wants] = line
      if (matches(1, 1)) exit 0
      print "  at line " far ": expected: " (far <= wants ? want[far] : "(nothing more)")
      print "  at line " far_got ": got:      " (far_got <= gots ? got[far_got] : "(nothing more)")
      exit 1
    }' "$work/$stream"; then
    echo "$stream differs; all of it:"
    sed 's/^/  | /' "$work/$stream"
    failed=1
  fi
done
exit $failed
