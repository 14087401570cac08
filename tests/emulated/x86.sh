#!/bin/bash
# x86.sh CPU SET PROGRAM...: unit tests on an x86 CPU of qemu's list, whose best instruction set is SET.
set -eu
cpu=$1 set=$2
shift 2
qemu=$(command -v qemu-x86_64-static || command -v qemu-x86_64) || { echo "qemu-x86_64 is not installed (Debian: qemu-user-static)"; exit 77; }
for program in "$@"; do
  echo "== $(basename "$program") on $cpu"
  # One target alone: the host's own tests go through all that the host has.
  MODNET_CPU=$set "$qemu" -cpu "$cpu" "$program"
done
