# A terminal gets bold headings, NO_COLOR and a pipe do not.
command -v script >/dev/null || { echo "skipped: no script(1)"; exit 77; }
script -qec 'modnet --help' /dev/null | grep -c $'\033\[1m' | sed 's/^[1-9][0-9]*$/some/'
NO_COLOR=1 script -qec 'modnet --help' /dev/null | grep -c $'\033'
modnet --help | grep -c $'\033'
exit 0
