#!/bin/bash
# Which heads run on which backbones? The table for the release notes, as Markdown; exit 1 when a pair that was promised does
# not fit.
#
#   examples/matrix/matrix.sh PROMISED HEADS BACKBONES
#
# HEADS and BACKBONES are folders of modules. PROMISED has a line HEAD:BACKBONE for each pair that must fit: names,
# NAME@VERSION or patterns, see --require in modnet-check(1); examples/matrix/promised.txt is one.
# Tested by tests/cli/example-matrix.
set -eu
require=()
while read -r pair; do
  case $pair in '' | '#'*) ;; *) require+=(--require "$pair") ;; esac
done <"$1"
modnet check --matrix "$2"/*.mnet --against "$3"/*.mnet "${require[@]}" --format markdown
