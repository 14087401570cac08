#!/usr/bin/env python3
"""`modnet verify` of a 90 MB module (XXH3 and SHA-256 of every byte) beside `openssl dgst -sha256` of the same file.

usage: verify.py MODNET [ROUNDS]

Prints lines as tests/bench/run wants them. One thread by CPU time; two threads by the clock against one, as far as the largest
tensor (half of this file) lets it go. MODNET_MINILM names the model's folder.
"""
import os
import shutil
import statistics
import sys
import tempfile

from common import minilm, report, run, skip


def main():
    modnet, model = sys.argv[1], minilm()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    openssl = shutil.which("openssl") or skip("openssl is not installed")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        run([modnet, "import", model, "-o", folder, "--name", "bench"])
        file = os.path.join(folder, "backbone.mnet")
        one, two, peer = [], [], []
        for _ in range(rounds):
            one.append(run([modnet, "verify", file, "--threads", "1"]))
            peer.append(run([openssl, "dgst", "-sha256", file]))
            two.append(run([modnet, "verify", file, "--threads", "2"]))
    ratio = statistics.median(x[1] for x in peer) / statistics.median(x[1] for x in one)
    passed = report("verify, 90 MB, 1 thread, bytes a CPU second", ratio >= 0.9, ">= 0.9", round(ratio, 3), "openssl dgst -sha256",
                    cpu_ms=[round(1e3 * statistics.median(x[1] for x in runs), 1) for runs in (one, peer)])
    if len(os.sched_getaffinity(0)) >= 2:
        gain = min(x[0] for x in one) / min(x[0] for x in two)
        passed &= report("verify, 90 MB, 2 threads, best rounds", gain >= 1.6, ">= 1.6", round(gain, 3), "verify, 1 thread",
                         ms=[round(1e3 * min(x[0] for x in runs), 1) for runs in (one, two)])
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
