#!/usr/bin/env python3
"""What a matrix of checks costs: 100 heads × 100 backbones, from start to report, against the least that a script can do.

usage: check.py MODNET MAKE_TINY_MODEL [SIDE]

The peer opens as many safetensors files with their library and compares names, dtypes and shapes of each pair: no contract,
no spaces, no report. Prints lines as tests/bench/run wants them. Exit 1 when a goal is missed.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

PEER = """
import glob, sys
from safetensors import safe_open
def read(path):
    with safe_open(path, "np") as file:
        return {name: (file.get_slice(name).get_dtype(), tuple(file.get_slice(name).get_shape())) for name in file.keys()}
left = [read(path) for path in sorted(glob.glob("left/*.safetensors"))]
right = [read(path) for path in sorted(glob.glob("right/*.safetensors"))]
print(sum(a == b for a in left for b in right))
"""


def cpu_seconds(arguments, folder):
    """One run to its end; CPU time, which other work on the machine does not change, and nothing here waits for anything."""
    process = subprocess.Popen(arguments, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(arguments[:6])}")
    return usage.ru_utime + usage.ru_stime


def main():
    modnet, maker = os.path.abspath(sys.argv[1]), sys.argv[2]
    side = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    with tempfile.TemporaryDirectory(dir=".") as folder:
        def run(*arguments):
            subprocess.run(arguments, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run(sys.executable, "-B", maker, "model", "0")
        with open(os.path.join(folder, "t.tsv"), "w", encoding="utf-8") as out:
            out.write("text\tlabel\n" + "".join(f"{'red green' if i % 2 else 'one two'} {i}\t{'odd' if i % 2 else 'even'}\n" for i in range(64)))
        run(modnet, "import", "model", "-o", "m0", "--name", "m0")
        run(modnet, "embed", "m0/backbone.mnet", "--encoder", "m0/encoder.mnet", "t.tsv", "--text", "text", "--label", "label", "-o", "t.arrow")
        for name in ("heads", "backbones", "left", "right"):
            os.mkdir(os.path.join(folder, name))
        for i in range(side):
            run(modnet, "train-head", "--features", "t.arrow", "--name", f"h{i}", "--strength", str(1 + i), "-o", f"heads/{i:03}.mnet")
            run(modnet, "import", "model", "-o", f"b{i}", "--name", f"b{i}", *(["--pooling", "cls"] if i % 2 else []))
            os.rename(os.path.join(folder, f"b{i}/backbone.mnet"), os.path.join(folder, f"backbones/{i:03}.mnet"))
            for half in ("left", "right"):
                os.symlink("../model/model.safetensors", os.path.join(folder, half, f"{i:03}.safetensors"))
        heads, backbones = ([f"{kind}/{i:03}.mnet" for i in range(side)] for kind in ("heads", "backbones"))
        times = [(cpu_seconds([modnet, "check", "--matrix", *heads, "--against", *backbones, "--require", "h0:b0"], folder),
                  cpu_seconds([sys.executable, "-c", PEER], folder)) for _ in range(8)]
        ours, theirs = (statistics.median(column) for column in zip(*times))
        passed = ours < 1.0
        print(json.dumps({"what": f"check, matrix of {side} × {side} modules", "peer": "safetensors in Python, shapes only", "ratio": ours / theirs,
                          "goal": "under 1 s of CPU", "ok": passed, "seconds": round(ours, 3), "peer_seconds": round(theirs, 3),
                          "microseconds_a_pair": round(1e6 * ours / side**2, 1)}), flush=True)
        return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
