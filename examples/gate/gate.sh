#!/bin/bash
# May this head be released? A gate for a CI job: exit 0 yes, 1 no; anything else says that the gate could not do its work.
#
#   examples/gate/gate.sh NEW RELEASED BACKBONE [ACCEPTED]
#
# NEW is the head, RELEASED the folder of its earlier releases, BACKBONE the module that it will run on, and ACCEPTED the
# breaks that somebody answers for (modnet-accept.toml, see modnet-check(1)). Every finding is printed; the folder reports
# gets them as JUnit, for the CI's table of tests, and as SARIF, for its code scanning.
# Tested by tests/cli/example-gate.
set -u
new=$1 released=$2 backbone=$3
accepted=(${4:+--accept "$4"})
worst=0
mkdir -p reports

# check NAME ARGUMENT...: one check for people, and its two reports. The worst exit is that of the gate.
check() {
  local name=$1 code
  shift
  modnet check "$@"
  code=$?
  modnet check "$@" --format junit -q >"reports/$name.xml"
  modnet check "$@" --format sarif -q >"reports/$name.sarif"
  if [ $code -gt $worst ]; then worst=$code; fi
}

modnet verify "$new" "$backbone" || exit
check releases "$new" --baseline "$released" "${accepted[@]}"
check backbone "$backbone" --against "$new"
exit $worst
