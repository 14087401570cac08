#!/usr/bin/env python3
"""Arrow files of features (100,000 × 384 f32, 154 MB) and of tokens (400,000 lists of i32, 146 MB), read from a mapping and through a
pipe, and written, beside pyarrow and beside what the same bytes cost without Arrow.

usage: arrow.py PROGRAM [ROUNDS]

Prints lines as tests/bench/run wants them. Files are in the page cache; what is written goes to memory (/dev/shm), so that no disk is
measured. Processor time, but for pipes, where the clock runs from the first byte to the last and `cat` is the producer.
"""
import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from common import report, skip

try:
    import numpy
    import pyarrow
    import pyarrow.ipc
except ImportError as missing:
    skip(f"no Python package {missing.name}")

MEMORY = "/dev/shm"
# Of a mapped file nothing but the messages and the offsets of lists is touched: ms a 100 MB; the share of the file that is in memory
# then, with what the system brings along (64 KB around a page). A batch of tokens has 373 KB and 4 KB of offsets.
MAPPED_GOALS = {"features": (1.0, 0.1), "tokens": (2.0, 0.25)}
BATCH = 1024  # rows, as our files have them


class Program:
    """Our readers and writers, in one process."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, what, how, path):
        self.process.stdin.write(f"{what} {how} {path}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"failed: {what} {how} {path}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def map_by_pyarrow(path):
    begin = time.process_time()
    with pyarrow.memory_map(path) as file:
        reader = pyarrow.ipc.open_file(file)
        rows = sum(reader.get_batch(i).num_rows for i in range(reader.num_record_batches))
    return {"cpu": time.process_time() - begin, "rows": rows}


def pipe_by_pyarrow(path):
    """The stream that the file holds, behind its first 8 bytes."""
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        select.select([cat.stdout], [], [])
        begin = time.monotonic()
        cat.stdout.read(8)
        rows = sum(batch.num_rows for batch in pyarrow.ipc.open_stream(cat.stdout))
        while cat.stdout.read(1 << 17):
            pass
        return {"seconds": time.monotonic() - begin, "rows": rows}


def write_by_pyarrow(table, path):
    if os.path.exists(path):
        os.unlink(path)
    begin = time.process_time()
    with pyarrow.OSFile(path, "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=BATCH)
    return {"cpu": time.process_time() - begin, "rows": table.num_rows}


def median(runs, field):
    return statistics.median(run[field] for run in runs)


def rounds_of(contenders, rounds):
    """name → runs, in alternated rounds."""
    runs = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            runs[name].append(run())
    return runs


def speed_line(what, runs, ours, peer, peer_name, field, goal=None, of_bare=None, **figures):
    """Ours to the peer's, a speed; with a goal or for information. of_bare: the share of bare reads that is enough as well, since no
    reader of a pipe is faster than they are."""
    ratio = median(runs[peer], field) / median(runs[ours], field)
    passed, words = None if goal is None else ratio >= goal, "-" if goal is None else f">= {goal:.2f}"
    if of_bare is not None:
        share = median(runs["bare"], field) / median(runs[ours], field)
        passed, words = passed or share >= of_bare, f"{words}, or {of_bare:g} of bare reads"
        figures["share_of_bare"] = round(share, 3)
    report(f"{what} beside {peer}", passed, words, round(ratio, 3), peer_name,
           ms=[round(1e3 * median(runs[name], field), 2) for name in (ours, peer)], **figures)
    return passed is not False


def read_mapped(program, kind, path, rounds):
    size = os.path.getsize(path)
    contenders = {how: (lambda how=how: program.ask("map", how, path)) for how in ("unchecked", "checked", "xxh3", "sha256", "sum")}
    runs = rounds_of({**contenders, "pyarrow": lambda: map_by_pyarrow(path)}, rounds)
    most_ms, most_share = MAPPED_GOALS[kind]
    bare = median(runs["unchecked"], "cpu") * 1e3 / (size / 1e8)
    good = report(f"Arrow {kind}, mapped, ms a 100 MB", bare <= most_ms, f"<= {most_ms:g}", round(bare, 3), faults=median(runs["unchecked"], "faults"))
    share = median(runs["unchecked"], "resident") / size
    good &= report(f"Arrow {kind}, mapped, share of the file in memory", share <= most_share, f"<= {most_share:g}", round(share, 4))
    good &= speed_line(f"Arrow {kind}, mapped, speed", runs, "unchecked", "pyarrow", "pyarrow memory_map", "cpu", 1.0)
    # The seal is SHA-256 over an XXH3-128 a row.
    what = f"Arrow {kind}, mapped, seal checked, speed"
    good &= speed_line(what, runs, "checked", "sha256", "SHA-256 of the bytes", "cpu", 0.85,
                       gb_a_second=round(size / median(runs["checked"], "cpu") * 1e-9, 2))
    good &= speed_line(what, runs, "checked", "xxh3", "XXH3-128 of the bytes", "cpu")
    return good & speed_line(what, runs, "checked", "sum", "bytes read and added", "cpu")


def read_piped(program, kind, path, rounds):
    contenders = {how: (lambda how=how: program.ask("pipe", how, path)) for how in ("unchecked", "checked", "bare")}
    runs = rounds_of({**contenders, "pyarrow": lambda: pipe_by_pyarrow(path)}, rounds)
    good = speed_line(f"Arrow {kind}, piped, speed", runs, "unchecked", "bare", "bare reads of the pipe", "seconds", 0.8)
    good &= speed_line(f"Arrow {kind}, piped, speed", runs, "unchecked", "pyarrow", "pyarrow open_stream", "seconds", 1.2, 0.95)
    return good & speed_line(f"Arrow {kind}, piped, seal checked, speed", runs, "checked", "bare", "bare reads of the pipe", "seconds")


def write(program, kind, path, table, rounds):
    contenders = {how: (lambda how=how: program.ask("write", how, path)) for how in ("plain", "sealed", "bare")}
    runs = rounds_of({**contenders, "pyarrow": lambda: write_by_pyarrow(table, path)}, rounds)
    good = speed_line(f"Arrow {kind}, written, speed", runs, "plain", "bare", "bare writes of the values", "cpu", 0.8)
    good &= speed_line(f"Arrow {kind}, written, speed", runs, "plain", "pyarrow", "pyarrow new_file", "cpu", 0.9)  # 19 parts of 20 are the system's
    return good & speed_line(f"Arrow {kind}, written with a seal, speed", runs, "sealed", "pyarrow", "pyarrow new_file", "cpu")


def main():
    program, rounds = Program(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 9
    passed = True
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for kind in ("features", "tokens"):
            path = os.path.join(folder, f"{kind}.arrow")
            rows = program.ask("make", kind, path)["rows"]
            table = pyarrow.ipc.open_file(path).read_all()
            if table.num_rows != rows:
                sys.exit(f"failed: pyarrow finds {table.num_rows} rows in {kind}; expected {rows}")
            passed &= read_mapped(program, kind, path, rounds)
            passed &= read_piped(program, kind, path, rounds)
            if os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free >= 1 << 30:
                with tempfile.TemporaryDirectory(dir=MEMORY) as memory:
                    passed &= write(program, kind, os.path.join(memory, "out.arrow"), table, rounds)
            else:
                print(json.dumps({"what": f"Arrow {kind}, written", "skipped": f"{MEMORY} has no room"}), flush=True)
    program.close()
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
