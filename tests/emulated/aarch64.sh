#!/bin/bash
# aarch64.sh SOURCE BUILD: compiles the kernels and their unit tests for 64-bit ARM and runs them there. Their only libraries are headers.
set -eu
source=$1 build=$2
compiler=$(command -v aarch64-linux-gnu-g++) || { echo "aarch64-linux-gnu-g++ is not installed (Debian: g++-aarch64-linux-gnu)"; exit 77; }
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || { echo "qemu-aarch64 is not installed (Debian: qemu-user-static)"; exit 77; }
mkdir -p "$build/include"
for library in hwy doctest; do ln -sfn "/usr/include/$library" "$build/include/$library"; done
cd "$source"
compile() {
  "$compiler" -std=c++20 -O2 -ffp-contract=off -fno-math-errno "-DHWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)" \
    -I. -isystem "$build/include" -c "$1" -o "$build/$(printf %s "$1" | tr / _).o"
}
export -f compile
export compiler build
rm -f "$build"/*.o
printf '%s\n' libmod/compute/{aligned,threads,matmul,linalg,random,profile}.cc libmod/compute/{cpu,reference}/*.cc libmod/compute/vendor/blas.cc formats/base/shared_library.cc \
  tests/unit/compute/{matmul,linalg,math,elementwise,rows,pool,attention,random,int8}_test.cc tests/support/doctest_main.cc |
  xargs -P "$(nproc)" -I FILE bash -c 'compile FILE'
"$compiler" -static "$build"/*.o -o "$build/tests" -lpthread 2>"$build/link.log" || { cat "$build/link.log" >&2; exit 1; }
exec "$qemu" "$build/tests"
