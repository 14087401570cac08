#!/usr/bin/env python3
"""What files cost: attach-head against dd of the same bytes, inspect's CPU time, and embed's memory as streams grow.

usage: files.py MODNET MODEL_FOLDER [ROUNDS]

Prints one JSON object a subject: ours and the peer's median over alternated rounds, their ratio, the goal. Standard library
only. MODEL_FOLDER is a sentence-transformers folder (90 MB). Exit 1 when a goal is missed.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def run(arguments, **options):
    """Runs a command to its end; returns (seconds, CPU seconds, peak KiB)."""
    begin = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"failed: {' '.join(arguments)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def report(subject, passed, **figures):
    print(json.dumps({"subject": subject, "passed": passed, **figures}))
    return passed


def texts(path, rows):
    words = "module encoder backbone head stream contract space probe digest tensor graph plan row label token text".split()
    with open(path, "w", encoding="utf-8") as out:
        out.write("text\tlabel\n")
        for i in range(rows):
            line = " ".join(words[(i * 7 + k * 3 + k * k) % len(words)] for k in range(4 + i % 12))
            out.write(f"{line}\t{'even' if i % 2 == 0 else 'odd'}\n")


def main():
    modnet, model = sys.argv[1], sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    passed = True
    with tempfile.TemporaryDirectory(dir=".") as folder:
        def at(name):
            return os.path.join(folder, name)
        run([modnet, "import", model, "-o", at("m"), "--name", "bench"])
        encoder, backbone = at("m/encoder.mnet"), at("m/backbone.mnet")
        peaks = []
        for rows in (256, 1024, 4096):
            texts(at("t.tsv"), rows)
            _, _, peak = run([modnet, "embed", backbone, "--encoder", encoder, at("t.tsv"), "--label", "label", "-f", "-o", at("e.arrow")])
            peaks.append(peak)
        passed &= report("embed, peak memory at 256, 1,024 and 4,096 texts", max(peaks) <= 1.1 * peaks[1], kib=peaks,
                         goal="flat within a tenth")
        run([modnet, "train-head", "--features", at("e.arrow"), "--name", "parity", "--strength", "1", "-o", at("h.mnet")])
        ours, peer, memory = [], [], 0
        for _ in range(rounds):
            seconds, _, peak = run([modnet, "attach-head", backbone, at("h.mnet"), "--encoder", encoder, "-f", "-o", at("c.mnet")])
            ours.append(seconds)
            memory = max(memory, peak)
            peer.append(run(["dd", "if=" + at("c.mnet"), "of=" + at("dd.out"), "bs=1M", "conv=fsync", "status=none"])[0])
        ratio = statistics.median(ours) / statistics.median(peer)
        passed &= report("attach-head, 90 MB", ratio <= 1.5 and memory < 50 * 1024, peer="dd conv=fsync", ratio=round(ratio, 3),
                         peak_kib=memory, goal="ratio ≤ 1.5, under 50 MB")
        cpu = [run([modnet, "inspect", at("c.mnet")])[1] for _ in range(3 * rounds)]
        passed &= report("inspect, 90 MB", statistics.median(cpu) <= 0.010, cpu_ms=round(1000 * statistics.median(cpu), 2), goal="≤ 10 ms of CPU")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
