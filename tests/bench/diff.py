#!/usr/bin/env python3
"""What a comparison costs: two 90 MB modules that differ in one tensor, against cmp of the same files and their weights in Python.

usage: diff.py MODNET [ROUNDS]

Both peers are given what modnet does not read: every byte. cmp -l lists the bytes that differ (plain cmp would end at the first,
which is a digest); the Python peer opens both safetensors files and asks numpy which tensors are equal. Times are CPU time,
which other work on the machine does not change; all files are in the page cache. Prints lines as tests/bench/run wants them.
MODNET_MINILM names a sentence-transformers folder (90 MB). Exit 1 when a goal is missed.
"""
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from common import minilm, report, run

TENSOR = "encoder.layer.3.output.dense.bias"
PEER = """
import sys
import numpy
from safetensors import safe_open
with safe_open(sys.argv[1], "np") as a, safe_open(sys.argv[2], "np") as b:
    names = set(a.keys())
    changed = sorted(names ^ set(b.keys()))
    for name in names & set(b.keys()):
        left, right = a.get_tensor(name), b.get_tensor(name)
        if left.dtype != right.dtype or not numpy.array_equal(left, right): changed.append(name)
sys.exit(1 if changed else 0)
"""


def changed_copy(model, folder):
    """The model's folder again, with other numbers in one tensor."""
    shutil.copytree(model, folder, symlinks=False)
    path = os.path.join(folder, "model.safetensors")
    with open(path, "r+b") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        name = next(name for name in header if name.endswith(TENSOR))
        begin, end = header[name]["data_offsets"]
        file.seek(8 + size + begin)
        values = bytearray(file.read(end - begin))
        values[2::4] = bytes(value ^ 1 for value in values[2::4])  # F32: a bit of each fraction
        file.seek(8 + size + begin)
        file.write(values)


def differ(arguments):
    """Runs a comparison that must find a difference; returns (CPU seconds, seconds). Prints into a file: cmp compares less when
    nobody reads what it says."""
    begin = time.monotonic()
    with tempfile.TemporaryFile(dir=".") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if os.waitstatus_to_exitcode(status) != 1:
        sys.exit(f"found no difference: {' '.join(arguments[:3])}")
    return usage.ru_utime + usage.ru_stime, seconds


def main():
    modnet, model = os.path.abspath(sys.argv[1]), minilm()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    with tempfile.TemporaryDirectory(dir=".") as folder:
        other = os.path.join(folder, "other")
        changed_copy(model, other)
        files = []
        for name, source in (("a", model), ("b", other)):
            run([modnet, "import", source, "-o", os.path.join(folder, name), "--name", "bench"])
            files.append(os.path.join(folder, name, "backbone.mnet"))
        weights = [os.path.join(source, "model.safetensors") for source in (model, other)]
        found = subprocess.run([modnet, "inspect", "--diff", *files, "--json"], stdout=subprocess.PIPE, check=False).stdout
        changes = json.loads(found)["diff"]["tensors"]["changes"]
        if len(changes) != 1 or changes[0]["change"] != "changed":
            sys.exit("expected one changed tensor, got " + json.dumps(changes))
        commands = [[modnet, "inspect", "--diff", *files], ["cmp", "-l", *files], [sys.executable, "-c", PEER, *weights],
                    [modnet, "inspect", "--diff", "--stats", *files]]
        for command in commands:
            differ(command)  # everything is in the page cache from here on
        taken = [[differ(command) for command in commands] for _ in range(rounds)]
        ours, cmp, python, stats = ([1000 * statistics.median(row[i][0] for row in taken)] + [1000 * min(row[i][1] for row in taken)]
                                    for i in range(4))
        figures = {"milliseconds": round(ours[0], 2), "fastest_wall": round(ours[1], 2), "bytes": os.path.getsize(files[0])}
        passed = report("inspect --diff, 2 × 90 MB, one tensor differs", ours[0] < 20, "under 20 ms of CPU", ours[0] / cmp[0], "cmp -l",
                        **figures, peer_milliseconds=round(cmp[0], 2), peer_fastest_wall=round(cmp[1], 2))
        report("inspect --diff, the same", None, "-", ours[0] / python[0], "safetensors and numpy in Python",
               **figures, peer_milliseconds=round(python[0], 2), peer_fastest_wall=round(python[1], 2))
        report("inspect --diff --stats, the same", None, "-", stats[0] / python[0], "safetensors and numpy in Python",
               milliseconds=round(stats[0], 2), fastest_wall=round(stats[1], 2))
        return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
