#!/usr/bin/env python3
"""MiniLM in 8 bits: how near to f32 it stays on real texts, what a head loses, and how much faster it is.

usage: int8.py MODNET TRAIN_TOOL [ROUNDS]

Prints lines as tests/bench/run wants them: the speed/error curve over --int8-error and --calibrate (all layers in 8 bits, some kept, f32), each point with its
cosines on the 2,000 texts of parity/minilm_sections and its speed in the same alternated rounds. MODNET_MINILM names the model's folder,
MODNET_SHARED the reference data.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from common import minilm, report, run, skip

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
from heads_common import Tool, sections  # noqa: E402

try:
    import numpy
    import pyarrow.ipc
except ImportError:
    skip("numpy or pyarrow is not installed")

# Layers that stay f32 are chosen on the probes, and at the same limit on the probes and texts of the training set.
POINTS = [("all layers", ["--int8-error", "0.1"]), ("the default", []), ("with texts", ["--calibrate"]), ("few errors", ["--int8-error", "0.03"])]


def vectors(modnet, backbone, encoder, texts, out):
    run([modnet, "embed", backbone, "--encoder", encoder, texts, "--text", "text", "-o", out, "-f"])
    table = pyarrow.ipc.open_file(out).read_all()
    return numpy.stack(table.column("embedding").combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, 384))


def neighbours(a, b, count=10):
    """Share of the nearest neighbours that stay the same."""
    def nearest(x):
        near = x @ x.T
        numpy.fill_diagonal(near, -2)
        return numpy.argpartition(-near, count, axis=1)[:, :count]
    return float(numpy.mean([len(set(x) & set(y)) / count for x, y in zip(nearest(a), nearest(b))]))


def main():
    modnet, tool, model = sys.argv[1], Tool(sys.argv[2]), minilm()
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    shared = os.environ.get("MODNET_SHARED") or skip("MODNET_SHARED names no reference data")
    zstd = shutil.which("zstd") or skip("zstd is not installed")
    met = True
    with tempfile.TemporaryDirectory(dir=".") as folder:
        at = lambda name: os.path.join(folder, name)  # noqa: E731
        run([modnet, "import", model, "-o", folder, "--name", "bench"])
        encoder, f32 = at("encoder.mnet"), at("backbone.mnet")
        texts = os.path.join(shared, "parity", "minilm_sections", "texts.tsv")
        true = numpy.load(os.path.join(shared, "parity", "minilm_sections", "embeddings.npy"))
        speed = at("s200.txt")
        with open(os.path.join(shared, "data", "sections", "s1000.txt"), encoding="utf-8") as lines, open(speed, "w", encoding="utf-8") as out:
            out.writelines(line for _, line in zip(range(200), lines))
        for part in ("train", "test"):
            with open(at(part + ".tsv"), "wb") as out:
                subprocess.run([zstd, "-dc", os.path.join(shared, "data", "sections", part + ".tsv.zst")], stdout=out, check=True)
        files, cosines, kept = {"f32": f32}, {}, {}
        tokens = at("train.tokens.arrow")
        run([modnet, "encode", encoder, at("train.tsv"), "--text", "text", "-o", tokens])
        for name, options in POINTS:
            files[name] = at(name.replace(" ", "_") + ".mnet")
            command = [modnet, "convert", f32, "--dtype", "int8", "-o", files[name], "--json"] + options + ([tokens] if "--calibrate" in options else [])
            done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
            document = json.loads(done.stdout)
            if done.returncode != 0:
                sys.exit(f"convert ended with {done.returncode}: {document}")
            kept[name] = len(document["kept_f32"])
        times = {name: [] for name in files}
        for _ in range(rounds):
            for name, file in files.items():
                times[name].append(run([modnet, "embed", file, "--encoder", encoder, speed, "-o", at("speed.arrow"), "-f"])[1])
        for name, file in files.items():
            got = vectors(modnet, file, encoder, texts, at("got.arrow"))
            cosines[name] = (got * true).sum(axis=1) / numpy.linalg.norm(got, axis=1)
            faster = statistics.median(a / b for a, b in zip(times["f32"], times[name]))
            mean, least = float(cosines[name].mean()), float(cosines[name].min())
            figures = {"cosine_mean": round(mean, 6), "cosine_min": round(least, 6), "neighbours": round(neighbours(true, got), 4), "layers_f32": kept.get(name)}
            what = f"embed, MiniLM, {name if name == 'f32' else 'int8, ' + name}"
            report(f"{what}, 200 texts of s1000.txt by CPU time (cosine {mean:.5f}, least {least:.5f}, {kept.get(name, 'all')} layers f32)", None, "-", round(faster, 3), "embed f32", **figures)
            if name == "the default":
                met &= report("cosine to f32, mean of 2,000 texts, int8 by default", mean >= 0.9985, ">= 0.9985", round(mean, 6), "f32 reference")
                met &= report("cosine to f32, least of 2,000 texts, int8 by default", least >= 0.996, ">= 0.996", round(least, 6), "f32 reference")
        # A head trained on f32 embeddings and used on those of 8 bits: what a user has who changes the backbone under it.
        x, y, test_x, test_y = sections()
        head = tool.train("logistic", x, y, int(y.max()) + 1, [10.0])
        accuracy = lambda z: float(((z @ head["weights"].T + head["bias"]).argmax(axis=1) == test_y).mean())  # noqa: E731
        test = vectors(modnet, files["the default"], encoder, at("test.tsv"), at("test.arrow"))
        before, after = accuracy(test_x), accuracy(test)
        met &= report("a head's accuracy on 5,000 texts, int8 beside f32, in points", abs(before - after) <= 0.003, "within 0.3", round(100 * (after - before), 2), "the same head on f32",
                      accuracy=[before, after])
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
