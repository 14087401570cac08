#!/usr/bin/env python3
"""modnet embed beside onnxruntime and sentence-transformers; MiniLM, 2 threads on the same 2 cores, the FMA peak measured in the same
rounds.

usage: embed.py MODNET PEAK_PROGRAM PART [ROUNDS]

PART: f32 or int8 (throughput on real texts), latency (single texts, a cold process), growth (memory, speed with the number of texts).

Prints lines as tests/bench/run wants them. Environment:
  MODNET_MINILM          the model's folder
  MODNET_SHARED          reference data (default: ../shared beside the checkout)
  MODNET_BENCH_PYTHON    a Python with onnxruntime, onnx, tokenizers and safetensors; without it lines against onnxruntime are skipped
  MODNET_BENCH_TORCH     a Python with sentence-transformers; lines against it are skipped where neither this nor `python3` can import it
  MODNET_BENCH_EVERY=N   a round of throughput takes every Nth batch of s1000.txt (default 2), every N/2nd of short4000.txt, where the
                         batches are the peer's, so that it pads as little as with all texts; the other lines take fewer texts, too:
                         30 makes a smoke test of the whole program, whose ratios say nothing (starting a process weighs more)
  MODNET_BENCH_GROWTH=N  most short texts for the line on growth (default 20000; 100000 takes minutes a round)

ONNX graphs come from the model's own weights (minilm_onnx.py), and the rows of both engines are compared before anything is timed. Time
is the clock's, ours with the start of the process and the writing, the peer's without its start; CPU time is in the further fields.
A module's bytes must be the same in every round.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import pyarrow.ipc
import tokenizers

from common import minilm, report, run, skip

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get("MODNET_SHARED") or os.path.join(HERE, "..", "..", "..", "shared")
EVERY = max(1, int(os.environ.get("MODNET_BENCH_EVERY", "2")))
SMALLER = max(1, EVERY // 2)  # what all else is divided by: 1 by default
GROWTH = int(os.environ.get("MODNET_BENCH_GROWTH", "20000"))
THREADS, BATCH = 2, 32  # BATCH: of the peers
MOST_TOKENS, LAYERS, WIDTH, INNER = 256, 6, 384, 1536
# file: times onnxruntime, share of the FMA peak; one of them is enough
F32_GOALS = {"s1000": (1.4, 0.78), "short4000": (1.3, 0.80)}
INT8_GOAL = (1.8, 0.55)
SENTENCE_TRANSFORMERS_GOAL = 1.6
# tokens: times onnxruntime's p50, share of the peak
LATENCY_GOALS = {"16": (0.60, 0.65), "128": (0.75, 0.75)}


class Peer:
    """Another engine in a process of its own (embed_peer.py)."""

    def __init__(self, python, engine, model, graphs):
        self.process = subprocess.Popen([python, "-B", os.path.join(HERE, "embed_peer.py"), engine, model, graphs, "serve"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not self.process.stdout.readline():
            sys.exit(f"failed: {engine}: {self.process.stderr.read()}")

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Peak:
    """What the two cores can do, measured each time it is asked."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, str(THREADS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seen = []

    def measure(self):
        time.sleep(0.2)  # until the threads of all engines, which wait for more in loops, are asleep
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seen.append(json.loads(self.process.stdout.readline()))

    def take(self):
        """Medians since the last call: {"fma": GF/s by the clock, "fma_cpu": by CPU time, "vnni": …, "vnni_cpu": …}."""
        seen, self.seen = self.seen, []
        return {name: statistics.median(one[name] for one in seen) for name in seen[0]}


class Bench:
    def __init__(self, modnet, peak, rounds, folder):
        self.modnet, self.rounds, self.folder, self.passed = modnet, rounds, folder, True
        self.model, self.peak = minilm(), Peak(peak)
        self.tokenizer = tokenizers.Tokenizer.from_file(os.path.join(self.model, "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MOST_TOKENS)
        run([modnet, "import", self.model, "-o", folder, "--name", "bench"])
        self.backbone, self.encoder = self.path("backbone.mnet"), self.path("encoder.mnet")
        self.python = python_with("MODNET_BENCH_PYTHON", "onnxruntime", "onnx", "tokenizers", "safetensors")
        if self.python:
            made = subprocess.run([self.python, "-B", os.path.join(HERE, "embed_peer.py"), "graphs", self.model, folder],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            if made.returncode != 0:
                sys.exit(f"failed: making the peer's graphs: {made.stderr}")
            self.operators = json.loads(made.stdout.splitlines()[-1])

    def path(self, name):
        return os.path.join(self.folder, name)

    def peer(self, engine):
        return Peer(self.python, engine, self.model, self.folder)

    def report(self, what, passed, goal, **figures):
        report(what, None if passed is None else bool(passed), goal, **figures)
        self.passed &= passed is not False

    def write_texts(self, name, texts):
        path = self.path(name + ".txt")
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            out.writelines(text + "\n" for text in texts)
        return path

    def embed(self, backbone, texts, out):
        """One process from start to end; (seconds, CPU seconds, peak KiB)."""
        return run([self.modnet, "embed", backbone, "--encoder", self.encoder, texts, "--threads", str(THREADS), "-f", "-o", out])

    def lengths(self, texts):
        return [len(encoding.ids) for encoding in self.tokenizer.encode_batch(texts)]

    def sample(self, texts, every):
        """The texts, in order, of every Nth of the batches that a peer makes of all of them."""
        lengths = self.lengths(texts)
        order = sorted(range(len(texts)), key=lambda i: -lengths[i])
        batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
        every = min(every, len(batches))
        return [texts[i] for i in sorted(sum(batches[every // 2 :: every], []))]

    def work(self, texts):
        """Tokens and floating-point operations: linear layers, and attention, which grows with the square of a text's length."""
        lengths = self.lengths(texts)
        linear = 2 * LAYERS * (4 * WIDTH * WIDTH + 2 * WIDTH * INNER)
        return sum(lengths), sum(n * (linear + 4 * LAYERS * WIDTH * n) for n in lengths)


def python_with(variable, *packages):
    """The first Python of an environment variable's and python3 that imports all of these; None where neither does."""
    for python in (os.environ.get(variable), shutil.which("python3")):
        if python and subprocess.run([python, "-c", "import " + ", ".join(packages)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     check=False).returncode == 0:
            return python
    return None


def skipped(what, why):
    print(json.dumps({"what": what, "skipped": why}), flush=True)


def texts_of(name, every=1):
    path = os.path.join(SHARED, "data", "sections", name + ".txt")
    if not os.path.isfile(path):
        skip(f"no real texts in {path}")
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")[:-1][::every]


def rows_of(path):
    """The embeddings of an Arrow file, as an array."""
    table = pyarrow.ipc.open_file(path).read_all()
    column = next(table.column(field.name) for field in table.schema if pyarrow.types.is_fixed_size_list(field.type))
    return column.combine_chunks().flatten().to_numpy().reshape(len(column), -1)


def check_same_model(bench):
    """Ends the program where the graph that is the peer is another model than ours, or one that onnxruntime runs piece by piece."""
    if not bench.python:
        return
    texts = bench.write_texts("same", texts_of("s1000")[:24])
    bench.embed(bench.backbone, texts, bench.path("same.arrow"))
    peer = bench.peer("ort32")
    peer.ask(texts=texts, out=bench.path("same.npy"))
    peer.close()
    distance = float(abs(rows_of(bench.path("same.arrow")) - numpy.load(bench.path("same.npy"))).max())
    same = distance <= 1e-4 and "Erf" not in bench.operators
    bench.report("embed, rows of modnet and onnxruntime, largest difference", same, "<= 1e-4, GELU fused", ratio=distance, peer="onnxruntime f32",
                 peer_operators=bench.operators)
    if not same:
        sys.exit(1)


def throughput(bench, name, dtype, backbone, peers, goal):
    """Lines of one file of texts against the peak and each peer: {name of the peer: (process or None, why not)}."""
    texts = bench.sample(texts_of(name), EVERY if name == "s1000" else SMALLER)
    path, out = bench.write_texts(f"{name}-{dtype}", texts), bench.path("rows.arrow")
    tokens, operations = bench.work(texts)
    ours, theirs = [], {peer: [] for peer in peers if peers[peer]}
    first, same = None, True
    for done in theirs:  # warm up
        peers[done].ask(texts=bench.write_texts("warm", texts[:64]), out=None)
    for _ in range(bench.rounds):
        bench.peak.measure()
        ours.append(bench.embed(backbone, path, out))
        with open(out, "rb") as file:
            data = file.read()
        first, same = first or data, same and (first is None or first == data)
        for peer, seen in theirs.items():
            seen.append(peers[peer].ask(texts=path, out=None))
    peak, unit = bench.peak.take(), "vnni" if dtype == "int8" else "fma"
    seconds, cpu = (statistics.median(one[i] for one in ours) for i in (0, 1))
    flops = operations * 1e-9 / seconds
    share = flops / peak[unit] if peak[unit] else None
    what = f"embed {dtype}, {len(texts)} of {name}.txt"
    figures = {"tokens_a_second": round(tokens / seconds, 1), "mflop_a_token": round(operations / tokens * 1e-6, 2),
               "cpu_seconds": cpu, "seconds": seconds, "peak_gflops": peak[unit], "share_of_peak": share and round(share, 3),
               "share_of_peak_by_cpu": share and round(operations * 1e-9 / cpu * THREADS / peak[unit + "_cpu"], 3), "same_bytes": same}
    if share:
        bench.report(what + ", share of peak", None if same else False, "same bytes", ratio=round(share, 3), peer="VNNI peak" if unit == "vnni" else "FMA peak", **figures)
    for peer, process in peers.items():
        subject = f"{what}, tokens a second against {peer}"
        if process is None:
            skipped(subject, f"{peer.split()[0]} is not installed")
            continue
        other, other_cpu = (statistics.median(one[key] for one in theirs[peer]) for key in ("seconds", "cpu"))
        ratio = other / seconds
        least = SENTENCE_TRANSFORMERS_GOAL if peer == "sentence-transformers" else goal[0]
        words, passed = f">= {least}", ratio >= least
        if peer != "sentence-transformers":
            words += f", or {goal[1]} of peak"
            passed = passed or (share is not None and share >= goal[1])
            if dtype == "int8" and share is None:  # the goal is for CPUs with VNNI
                words, passed = "-", None
        bench.report(subject, passed if same else False, words, ratio=round(ratio, 3), peer=peer, peer_seconds=other, peer_cpu_seconds=other_cpu,
                     ratio_by_cpu=round(other_cpu / cpu, 3), peer_tokens_a_second=round(tokens / other, 1),
                     peer_share_of_peak=round(operations * 1e-9 / other / peak[unit], 3) if peak[unit] else None, **figures)


def f32(bench):
    check_same_model(bench)
    python = python_with("MODNET_BENCH_TORCH", "sentence_transformers")
    peers = {"onnxruntime f32": bench.peer("ort32") if bench.python else None,
             "sentence-transformers": Peer(python, "st", bench.model, bench.folder) if python else None}
    for name, goal in F32_GOALS.items():
        throughput(bench, name, "f32", bench.backbone, peers, goal)
    for peer in filter(None, peers.values()):
        peer.close()


def int8(bench):
    told = subprocess.run([bench.modnet, "convert", "--help"], stdout=subprocess.PIPE, text=True, check=False).stdout
    if "int8" not in told:
        skipped("embed int8, tokens a second", "this modnet has no convert --dtype int8")
        return
    small = bench.path("int8.mnet")
    made = subprocess.run([bench.modnet, "convert", bench.backbone, "--dtype", "int8", "-o", small], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False)
    if made.returncode != 0:
        sys.exit(f"failed: convert --dtype int8: {made.stderr}")
    peers = {"onnxruntime int8": bench.peer("ortint8") if bench.python else None}
    for name in F32_GOALS:
        throughput(bench, name, "int8", small, peers, INT8_GOAL)
    for peer in filter(None, peers.values()):
        peer.close()


class Stream:
    """One running `modnet embed`: a line in, a batch of one row out."""

    def __init__(self, bench):
        self.process = subprocess.Popen([bench.modnet, "embed", bench.backbone, "--encoder", bench.encoder, "-", "--format", "lines",
                                         "--batch-size", "1", "--threads", str(THREADS), "-o", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.reader = None

    def seconds(self, text):
        line = text.encode() + b"\n"
        begin = time.perf_counter()
        self.process.stdin.write(line)
        self.process.stdin.flush()
        if self.reader is None:
            self.reader = pyarrow.ipc.open_stream(self.process.stdout)
        batch = self.reader.read_next_batch()
        seconds = time.perf_counter() - begin
        if batch.num_rows != 1:
            sys.exit(f"failed: {batch.num_rows} rows came for one line")
        return seconds

    def cpu(self):
        """CPU seconds so far, of all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        list(self.reader)
        self.process.wait()


def latency(bench):
    single_texts(bench)
    cold(bench)


def single_texts(bench):
    with open(os.path.join(SHARED, "data", "sections", "latency.json"), encoding="utf-8") as file:
        texts = json.load(file)
    subjects = {key: f"embed, single texts of {key} tokens in one process, p50" for key in LATENCY_GOALS}
    if not bench.python:
        for what in subjects.values():
            skipped(what, "onnxruntime is not installed")
        return
    stream, peer = Stream(bench), bench.peer("ort32")
    calls = max(4, 20 // SMALLER)
    seen = {key: [] for key in LATENCY_GOALS}  # (our seconds, theirs, our CPU seconds, theirs) a round
    for round_ in range(bench.rounds + 1):  # all lengths in every round: what others do for some seconds falls on each of them
        bench.peak.measure()
        for key, rounds in seen.items():
            before = stream.cpu()
            mine = [stream.seconds(texts[key]) for _ in range(calls)]
            used = stream.cpu() - before
            other = peer.ask(text=texts[key], calls=calls)
            if round_:  # the first one warms up
                rounds.append((statistics.median(mine), statistics.median(other["seconds"]), used / calls, other["cpu"] / calls))
    peak = bench.peak.take()["fma"]
    for key, goal in LATENCY_GOALS.items():
        columns = list(zip(*seen[key]))
        mine, other = (statistics.median(column) for column in columns[:2])
        cpu, other_cpu = (statistics.mean(column) for column in columns[2:])
        at_peak = bench.work([texts[key]])[1] * 1e-9 / peak if peak else 0.0
        bench.report(subjects[key], mine <= max(goal[0] * other, at_peak / goal[1]), f"<= {goal[0]}, or FLOPs at {goal[1]} of peak", peer="onnxruntime f32",
                     ratio=round(mine / other, 3), ms=round(1e3 * mine, 3), peer_ms=round(1e3 * other, 3), share_of_peak=round(at_peak / mine, 3),
                     cpu_ms=round(1e3 * cpu, 3), peer_cpu_ms=round(1e3 * other_cpu, 3))
    stream.close()
    peer.close()


def cold(bench):
    what, text = "embed, cold process to the first embedding", texts_of("short4000")[0]
    if not bench.python:
        skipped(what, "onnxruntime is not installed")
        return
    path = bench.write_texts("one", [text])
    peer = [bench.python, "-B", os.path.join(HERE, "embed_peer.py"), "ort32", bench.model, bench.folder, "cold", text]
    arguments = [bench.modnet, "embed", bench.backbone, "--encoder", bench.encoder, "-", "--format", "lines", "--threads", str(THREADS), "-o", "-"]
    ours, theirs = [], []
    for _ in range(bench.rounds):
        with open(path, "rb") as file:
            ours.append(run(arguments, stdin=file))
        theirs.append(run(peer))
    mine, mine_cpu, other, other_cpu = (statistics.median(one[i] for one in seen) for seen in (ours, theirs) for i in (0, 1))
    bench.report(what, mine <= 0.25 * other and mine <= 0.08, "<= 0.25, 80 ms", ratio=round(mine / other, 3), peer="onnxruntime f32",
                 ms=round(1e3 * mine, 1), cpu_ms=round(1e3 * mine_cpu, 1), peer_ms=round(1e3 * other, 1), peer_cpu_ms=round(1e3 * other_cpu, 1))


def memory(bench):
    """A process that Python starts counts Python's own pages until it becomes another program: true's show how many those are."""
    texts, peaks = texts_of("s1000", SMALLER), []
    for times in (1, 8):
        peaks.append(bench.embed(bench.backbone, bench.write_texts("long", texts * times), bench.path("rows.arrow"))[2])
    bench.report(f"embed, peak memory at {len(texts)} and 8 times as many texts of s1000.txt", max(peaks) <= 200e6 / 1024 and peaks[1] <= 1.05 * peaks[0],
                 "<= 1.05, 200 MB", ratio=round(peaks[1] / peaks[0], 3), megabytes=[round(peak * 1024e-6, 1) for peak in peaks],
                 true_megabytes=round(run(["/bin/true"])[2] * 1024e-6, 1))


def growth(bench):
    memory(bench)
    texts, sizes = texts_of("short4000"), [size // SMALLER for size in (1000, max(4000, GROWTH // 5), max(8000, GROWTH))]
    jobs = {}
    for size in sizes:
        many = (texts * (size // len(texts) + 1))[:size]
        jobs[size] = (bench.write_texts(f"short{size}", many), bench.work(many)[0], [])
    for _ in range(3):
        for size, (path, _, seen) in jobs.items():
            for _ in range(3 if size == sizes[0] else 1):  # a second each: what else runs shows more
                seen.append(bench.embed(bench.backbone, path, bench.path("rows.arrow")))
    speeds, by_cpu = ([tokens / statistics.median(one[i] for one in seen) for _, tokens, seen in jobs.values()] for i in (0, 1))
    bench.report(f"embed, tokens a second of {', '.join(map(str, sizes))} short texts, slowest to fastest", min(speeds) >= 0.9 * max(speeds), ">= 0.9",
                 ratio=round(min(speeds) / max(speeds), 3), tokens_a_second=[round(speed) for speed in speeds],
                 ratio_by_cpu=round(min(by_cpu) / max(by_cpu), 3),
                 megabytes=[round(max(one[2] for one in seen) * 1024e-6, 1) for _, _, seen in jobs.values()])


PARTS = {"f32": f32, "int8": int8, "latency": latency, "growth": growth}


def main():
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])  # everything started below shares these cores
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], sys.argv[2], int(sys.argv[4]) if len(sys.argv) > 4 else 8, folder)
        texts_of("s1000")
        PARTS[sys.argv[3]](bench)
        return 0 if bench.passed else 1


if __name__ == "__main__":
    sys.exit(main())
