#!/usr/bin/env python3
"""Tokens a second beside the Rust library `tokenizers` (encode_batch_fast), one thread each, ids compared in every round.

usage: tokenizing.py PROGRAM [ROUNDS]

WordPiece is MiniLM's (MODNET_MINILM); byte-level BPE is trained here by the library, 30,000 entries, on the same texts: the 10,000
descriptions of the reference data (MODNET_SHARED, else ../shared). CPU time of alternated rounds; each starts with empty caches of
ours, while the library keeps its own. Prints lines as tests/bench/run wants them.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SHARED = os.environ.get("MODNET_SHARED") or os.path.join(ROOT, "..", "shared")
GOALS = {"WordPiece": 8, "byte-level BPE": 4}


def skip(why):
    print("skipped:", why)
    sys.exit(77)


try:
    import numpy
    import tokenizers
    import zstandard
except ImportError as missing:
    skip(f"no Python package {missing.name}")


def descriptions():
    path = os.path.join(SHARED, "data", "sections", "train.tsv.zst")
    if not os.path.isfile(path):
        skip(f"no real texts in {path}")
    with open(path, "rb") as file:
        rows = zstandard.ZstdDecompressor().stream_reader(file).read().decode("utf-8").splitlines()
    return [row.split("\t", 2)[2] for row in rows[1:]]


def train_bpe(texts, path):
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    bpe.train_from_iterator(texts, tokenizers.trainers.BpeTrainer(
        vocab_size=30000, show_progress=False, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    bpe.save(path)


def pass_of_library(tokenizer, texts):
    """One pass: ids and CPU seconds of encoding alone."""
    parts, cpu = [], 0.0
    for i in range(0, len(texts), 4096):
        begin = time.process_time()
        encodings = tokenizer.encode_batch_fast(texts[i : i + 4096])
        cpu += time.process_time() - begin
        parts += [encoding.ids for encoding in encodings]
    return [token for ids in parts for token in ids], cpu


def compare(name, program, path, texts, lines, rounds):
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    process = subprocess.Popen([program, path, lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ours, theirs, equal, tokens = [], [], True, 0
    for _ in range(rounds):
        process.stdin.write("go\n")
        process.stdin.flush()
        mine = json.loads(process.stdout.readline())
        ours.append(mine["cpu"])
        ids, cpu = pass_of_library(tokenizer, texts)
        theirs.append(cpu)
        tokens = len(ids)
        places = numpy.arange(1, tokens + 1, dtype="u8")
        equal &= mine["tokens"] == tokens and mine["sum"] == int((numpy.array(ids, dtype="u8") * places).sum(dtype="u8"))
    process.stdin.close()
    process.wait()
    ratio = statistics.median(theirs) / statistics.median(ours)
    ok = equal and ratio >= GOALS[name]
    print(json.dumps({"what": f"{name}, {len(texts)} descriptions, 1 thread, tokens a second", "peer": "tokenizers encode_batch_fast",
                      "ratio": round(ratio, 2), "goal": f">= {GOALS[name]}, equal ids", "ok": ok, "equal": equal, "tokens": tokens,
                      "cpu_seconds": [statistics.median(ours), statistics.median(theirs)]}), flush=True)
    return ok


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8
    texts = descriptions()
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        lines = os.path.join(folder, "texts")
        with open(lines, "w", encoding="utf-8", newline="\n") as out:
            out.writelines(text + "\n" for text in texts)
        if os.environ.get("MODNET_MINILM"):
            with open(os.path.join(os.environ["MODNET_MINILM"], "tokenizer.json"), encoding="utf-8") as file:
                document = json.load(file)
            document["truncation"] = document["padding"] = None
            path = os.path.join(folder, "wordpiece.json")
            with open(path, "w", encoding="utf-8") as out:
                json.dump(document, out)
            passed &= compare("WordPiece", program, path, texts, lines, rounds)
        else:
            print(json.dumps({"what": "WordPiece", "skipped": "MODNET_MINILM names no model"}))
        path = os.path.join(folder, "bpe.json")
        train_bpe(texts, path)
        passed &= compare("byte-level BPE", program, path, texts, lines, rounds)
    return 0 if passed else 1


sys.exit(main())
