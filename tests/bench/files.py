#!/usr/bin/env python3
"""What files cost: attach-head and extract against dd of the same bytes, and embed's memory as streams grow.

usage: files.py MODNET [ROUNDS]

Prints lines as tests/bench/run wants them. Standard library only. MODNET_MINILM names a sentence-transformers folder (90 MB).
Exit 1 when a goal is missed.
"""
import os
import statistics
import sys
import tempfile

from common import minilm, report, run


def texts(path, rows):
    words = "module encoder backbone head stream contract space probe digest tensor graph plan row label token text".split()
    with open(path, "w", encoding="utf-8") as out:
        out.write("text\tlabel\n")
        for i in range(rows):
            line = " ".join(words[(i * 7 + k * 3 + k * k) % len(words)] for k in range(4 + i % 12))
            out.write(f"{line}\t{'even' if i % 2 == 0 else 'odd'}\n")


def main():
    modnet, model = sys.argv[1], minilm()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 8
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
        passed &= report("embed, peak memory at 256, 1,024 and 4,096 texts", max(peaks) <= 1.1 * peaks[1],
                         "flat within a tenth", kib=peaks)
        run([modnet, "train-head", "--features", at("e.arrow"), "--name", "parity", "--strength", "1", "-o", at("h.mnet")])
        ours, peer, memory = [], [], 0
        for _ in range(rounds):
            seconds, _, peak = run([modnet, "attach-head", backbone, at("h.mnet"), "--encoder", encoder, "-f", "-o", at("c.mnet")])
            ours.append(seconds)
            memory = max(memory, peak)
            peer.append(run(["dd", "if=" + at("c.mnet"), "of=" + at("dd.out"), "bs=1M", "conv=fsync", "status=none"])[0])
        ratio = statistics.median(ours) / statistics.median(peer)
        passed &= report("attach-head, 90 MB", ratio <= 1.5 and memory < 50 * 1024, "<= 1.5, under 50 MB", round(ratio, 3),
                         "dd conv=fsync", peak_kib=memory)
        ours, peer, compared, memory = [], [], [], 0
        for _ in range(rounds):
            seconds, _, peak = run([modnet, "extract", at("c.mnet"), "backbone", "-f", "-o", at("x.mnet")])
            ours.append(seconds)
            memory = max(memory, peak)
            peer.append(run(["dd", "if=" + backbone, "of=" + at("dd.out"), "bs=1M", "conv=fsync", "status=none"])[0])
            compared.append(run(["cmp", at("x.mnet"), backbone])[0])  # fails where a byte differs
        ratio = statistics.median(ours) / statistics.median(peer)
        passed &= report("extract of a 90 MB backbone", ratio <= 1.5 and memory < 50 * 1024, "<= 1.5, under 50 MB", round(ratio, 3),
                         "dd conv=fsync", peak_kib=memory, seconds=statistics.median(ours), cmp_seconds=statistics.median(compared))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
