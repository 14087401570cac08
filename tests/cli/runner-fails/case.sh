# The runner itself: a case passes only when stdout, stderr and exit are what its files say, wildcards included.
try() { # NAME EXPECTED-EXIT
  MODNET_BLESS= "$RUN_CASE" "$PWD/$1" "$MODNET" >out 2>&1
  code=$?
  [ $code -eq "$2" ] && echo "$1: as it should" || { echo "$1: exit $code, expected $2"; cat out; }
}
make() { mkdir "$1"; cat >"$1/case.sh"; }
make same <<<'echo one; echo two; echo three >&2; exit 4'
printf 'one\ntwo\n' >same/expected.stdout; echo three >same/expected.stderr; echo 4 >same/expected.exit
make wild <<<'echo "took 12 ms of 30"; echo a; echo b; echo end'
printf 'took [..] ms of [..]\n...\nend\n' >wild/expected.stdout
make other-exit <<<'exit 1'
make other-stdout <<<'echo one'
echo two >other-stdout/expected.stdout
make more-stdout <<<'echo one; echo two'
echo one >more-stdout/expected.stdout
make less-stdout <<<'echo one'
printf 'one\ntwo\n' >less-stdout/expected.stdout
make talks <<<'echo oops >&2'
make wild-miss <<<'echo "took 12 s"'
echo 'took [..] ms' >wild-miss/expected.stdout
make literal <<<'echo "aXb"'
echo 'a.b' >literal/expected.stdout
make skips <<<'echo "skipped: reason"; exit 77'
try same 0; try wild 0; try skips 77
for name in other-exit other-stdout more-stdout less-stdout talks wild-miss literal; do try $name 1; done
