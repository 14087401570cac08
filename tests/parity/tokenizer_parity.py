#!/usr/bin/env python3
"""Token ids of modnet and of the `tokenizers` library on real texts, on every code point and on random settings.

    tokenizer_parity.py TOKENIZE_TOOL
Needs the PyPI package `tokenizers` and the reference tokenizers (MODNET_SHARED, else ../shared); exits 77 without.
MODNET_MINILM names a folder with MiniLM's tokenizer.json (left out when unset). Real texts: 20,000 descriptions of
`apt-cache dumpavail` and the 15,000 of the reference data, as far as they are there.
"""
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SHARED = os.environ.get("MODNET_SHARED") or os.path.join(ROOT, "..", "shared")
TOKENIZERS = os.path.join(SHARED, "parity", "tokenizers")


os.environ["RUST_BACKTRACE"] = "0"  # the library panics now and then, and each trace takes long


def skip(why):
    print("skipped:", why)
    sys.exit(77)


try:
    from tokenizers import Tokenizer
except ImportError:
    skip("no Python package tokenizers")


def load(path):
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    document["truncation"] = document["padding"] = None
    return document


def debian_texts(limit=20000):
    if not shutil.which("apt-cache"):
        return []
    out = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=False).stdout.decode("utf-8", "replace")
    texts = []
    for paragraph in out.split("\n\n"):
        fields = {}
        for line in paragraph.split("\n"):
            if line[:1] == " ":
                fields[key] = fields[key] + "\n" + line
            elif ": " in line:
                key, _, value = line.partition(": ")
                fields[key] = value
            else:
                key = line.rstrip(":")
                fields[key] = ""
        if "Description" in fields:
            texts.append("%s (%s): %s | %s" % (fields.get("Package", ""), fields.get("Section", ""),
                                               fields["Description"], fields.get("Depends", "")))
    return texts[:limit]


def section_texts():
    folder = os.path.join(SHARED, "data", "sections")
    texts = []
    for name in ("train.tsv.zst", "test.tsv.zst"):
        path = os.path.join(folder, name)
        if os.path.exists(path) and shutil.which("zstd"):
            table = subprocess.run(["zstd", "-dqc", path], capture_output=True, check=True).stdout.decode("utf-8")
            texts += [line.split("\t")[2] for line in table.split("\n")[1:] if line.count("\t") == 2]
    return texts


def judged(judge, texts):
    """The library's ids as text; None for a text on which it panics (it does, on some orders of marks)."""
    try:
        return [" ".join(map(str, e.ids)) for e in judge.encode_batch_fast(texts)]
    except BaseException as error:  # a panic is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return [None] if len(texts) == 1 else [judged(judge, [t])[0] for t in texts]


class Quiet:
    """Standard error closed meanwhile: the library prints a page for each panic."""

    def __enter__(self):
        sys.stderr.flush()
        self.saved = os.dup(2)
        self.null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(self.null, 2)

    def __exit__(self, *_):
        os.dup2(self.saved, 2)
        os.close(self.saved)
        os.close(self.null)


class Checker:
    def __init__(self, tool):
        self.tool = tool
        self.compared = self.wrong = self.panics = 0

    def run(self, name, document, texts, max_length=None):
        text = json.dumps(document)
        judge = Tokenizer.from_str(text)
        if max_length:
            judge.enable_truncation(max_length)
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            command = [self.tool, file.name] + (["--max", str(max_length)] if max_length else [])
            lines = "".join(json.dumps(t) + "\n" for t in texts).encode()
            done = subprocess.run(command, input=lines, capture_output=True, check=False)
        if done.returncode != 0:
            self.wrong += 1
            print("%s: exit %d: %s" % (name, done.returncode, done.stderr.decode("utf-8", "replace")))
            return
        got = done.stdout.decode().split("\n")[:-1]
        with Quiet():
            want = judged(judge, texts)
        bad = [i for i in range(len(texts)) if want[i] is not None and (i >= len(got) or got[i] != want[i])]
        panics = sum(w is None for w in want)
        self.panics += panics
        self.compared += len(texts) - panics
        self.wrong += len(bad)
        for i in bad[:3]:
            print("%s: %s\n  got  %s\n  want %s" % (name, ascii(texts[i][:300]), got[i][:300], want[i][:300]))
        if bad:
            print("%s: %d of %d texts differ" % (name, len(bad), len(texts)))


def every_code_point():
    return ["%cA%c'B %c1" % (c, c, c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]


FRAGMENTS = ["the", " ", "  ", "\n", "\t", "'s", "'ll", "'S", "Hello", "WORLD", "é", "e\u0301", "\u0323\u0301", "ǅ", "İ",
             "ß", "Ω", "漢字", "한국어", "ㄱ", "½", "①", "٣", "1234", "-", "...", "!?", "[MASK]", "[mask]", "<s>", "<mask>",
             "<|endoftext|>", "\u00a0", "\u2028", "\u200d", "\u00ad", "\ufffd", "\x00", "\x7f", "\u1734", "\U0001f468",
             "\u0fb2\u0f71\u0f80", "\u302e", "ﬁ", "㍿", "New York", "newyork", "YORK", "yo", "_x_", "a_b", "##ing", "Ġ",
             "unaffable", "supercalifragilistic", "\u0344", "\u1100\u1161", "가\u11a8", "\U00011935\U00011930"]


def random_texts(rng, count):
    texts = ["", " ", "\u0301", "x" * 300, "é" * 101, "0 " * 200]
    while len(texts) < count:
        parts = [rng.choice(FRAGMENTS) if rng.random() < 0.9 else chr(rng.choice([rng.randrange(32, 0x500),
                 rng.randrange(0xE000, 0x30000), rng.randrange(0x900, 0xD800)])) for _ in range(rng.randrange(1, 14))]
        texts.append("".join(parts))
    return texts


def random_step(rng):
    kind = rng.choice(["BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Replace", "Prepend",
                       "Strip"])
    step = {"type": kind}
    if kind == "BertNormalizer":
        for key in ("clean_text", "handle_chinese_chars", "lowercase"):
            step[key] = rng.random() < 0.5
        step["strip_accents"] = rng.choice([None, True, False])
    elif kind == "Replace":
        step.update(pattern={"String": rng.choice([" ", "e", "the", "é"])}, content=rng.choice(["_", " a "]))
    elif kind == "Prepend":
        step["prepend"] = rng.choice([" ", "x", "\u2581"])
    elif kind == "Strip":
        step.update(strip_left=rng.random() < 0.5, strip_right=rng.random() < 0.5)
    return step


def random_setting(rng, document):
    document = copy.deepcopy(document)
    steps = [random_step(rng) for _ in range(rng.choice([0, 1, 1, 1, 2, 3]))]
    document["normalizer"] = None if not steps else steps[0] if len(steps) == 1 else {"type": "Sequence",
                                                                                      "normalizers": steps}
    for token in document["added_tokens"]:
        for key in ("single_word", "lstrip", "rstrip", "normalized"):
            token[key] = rng.random() < 0.3
    size = max(max(document["model"]["vocab"].values()) + 1, len(document["model"]["vocab"]))
    for i, content in enumerate(rng.sample(["New York", "yo", "é", "the", "[mask]", "the the", "_", "1234", " x", "YORK",
                                            "\u00a0", "\n"], rng.randrange(0, 7))):
        vocab = document["model"]["vocab"]
        token = {"id": size + sum(t["id"] >= size for t in document["added_tokens"]), "content": content,
                 "special": rng.random() < 0.3}
        if content in vocab:
            token["id"] = vocab[content]
        for key in ("single_word", "lstrip", "rstrip", "normalized"):
            token[key] = rng.random() < 0.4
        if content[0].isspace():
            token["lstrip"] = False  # the library panics where the token before has taken these spaces
        if content.isspace():
            token["normalized"] = False  # the library never ends where the normaliser leaves nothing of a token
        document["added_tokens"].append(token)
    model = document["model"]
    if model["type"] == "WordPiece":
        model["max_input_chars_per_word"] = rng.choice([0, 1, 5, 100])
    else:
        pre = document["pre_tokenizer"]
        pre["add_prefix_space"], pre["use_regex"] = rng.random() < 0.5, rng.random() < 0.7
        model["ignore_merges"] = rng.random() < 0.3
        if rng.random() < 0.4:
            for symbol in rng.sample(sorted(s for s in model["vocab"] if len(s) == 1), 40):
                del model["vocab"][symbol]
            model["merges"] = [m for m in model["merges"] if all(x in model["vocab"] for x in m)]
            if rng.random() < 0.6:
                model["unk_token"] = sorted(model["vocab"])[-1]
                model["fuse_unk"] = rng.random() < 0.5
            # added tokens that the vocabulary lacks would be numbered anew
            document["added_tokens"] = [t for t in document["added_tokens"] if t["content"] in model["vocab"]]
    keep_apart(document)
    return document


def keep_apart(document):
    """Two normalised tokens that become one text ("[MASK]" and "[mask]" in lower case): the library finds either of them,
    by the order of a hash map that differs from run to run, so it cannot judge. Only the first stays normalised."""
    bare = dict(document, added_tokens=[], post_processor=None)
    normalizer = Tokenizer.from_str(json.dumps(bare)).normalizer
    seen = set()
    for token in document["added_tokens"]:
        if not token["normalized"]:
            continue
        content = normalizer.normalize_str(token["content"]) if normalizer else token["content"]
        token["normalized"] = content not in seen
        seen.add(content)


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    if not os.path.isdir(TOKENIZERS):
        skip("no reference tokenizers (MODNET_SHARED)")
    kinds = ("bert", "bert_cased", "bert_keepaccents", "gpt2", "roberta", "roberta_prefix")
    documents = {k: load(os.path.join(TOKENIZERS, k, "tokenizer.json")) for k in kinds}
    checker = Checker(sys.argv[1])
    real = debian_texts() + section_texts()
    print(len(real), "real texts")
    minilm = os.environ.get("MODNET_MINILM")
    if minilm:
        documents["minilm"] = load(os.path.join(minilm, "tokenizer.json"))
    else:
        print("left out: MiniLM's own tokenizer (MODNET_MINILM is not set)")
    for kind in ("minilm" if minilm else "bert", "gpt2", "roberta_prefix"):
        checker.run(kind + " on real texts", documents[kind], real)
    checker.run("truncated to 32", documents["minilm" if minilm else "bert"], real[:5000], 32)
    points = every_code_point()
    for kind in ("bert", "bert_cased", "bert_keepaccents", "gpt2"):
        checker.run(kind + " on every code point", documents[kind], points)
    rng = random.Random(int(os.environ.get("MODNET_SEED", "1")))
    for i in range(int(os.environ.get("MODNET_CASES", "100"))):
        kind = rng.choice(kinds)
        checker.run("%s, random setting %d" % (kind, i), random_setting(rng, documents[kind]), random_texts(rng, 200))
    print("%d texts compared, %d differ; the library panicked on %d" % (checker.compared, checker.wrong, checker.panics))
    return 1 if checker.wrong or not checker.compared else 0


if __name__ == "__main__":
    sys.exit(main())
