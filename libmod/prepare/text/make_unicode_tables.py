#!/usr/bin/env python3
"""Writes unicode_tables.cc: what the `tokenizers` library takes each code point for, found by asking it.

The library mixes several Unicode versions (normal forms and BERT's categories are from version 9, the regular
expressions' and lower case are newer), so no single Unicode library gives the same answer. Needs `tokenizers`.
    python3 make_unicode_tables.py > unicode_tables.cc
"""
import sys

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
FLAGS = ["white", "punctuation", "nonspacing", "mark", "removed", "letter", "number", "word", "decomposes", "normalizes"]


def bert(**on):
    keys = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    return normalizers.BertNormalizer(**{k: on.get(k, False) for k in keys})


def where(test):
    return {c for c in CODE_POINTS if test(chr(c))}


def split_set(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    return where(lambda c: len(split.pre_tokenize_str("@" + c + "@")) == 3)


def added_set(probe, **options):
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("XX", normalized=False, **options)])
    encoded = tokenizer.encode_batch(["XX" + chr(c) + "a" for c in CODE_POINTS])
    return {c for c, e in zip(CODE_POINTS, encoded) if probe(e)}


def classes():
    out = {}
    accents, clean, marks = bert(strip_accents=True), bert(clean_text=True), normalizers.StripAccents()
    out["nonspacing"] = where(lambda c: accents.normalize_str("a" + c + "b") == "ab")
    out["mark"] = where(lambda c: marks.normalize_str("a" + c + "b") == "ab")
    out["removed"] = where(lambda c: clean.normalize_str("a" + c + "b") == "ab")
    pre = pre_tokenizers.BertPreTokenizer()
    pieces = {c: [p for p, _ in pre.pre_tokenize_str("a" + chr(c) + "b")] for c in CODE_POINTS}
    out["white"] = {c for c, p in pieces.items() if p == ["a", "b"]}
    out["punctuation"] = {c for c, p in pieces.items() if len(p) == 3}
    out["letter"], out["number"] = split_set(r"\p{L}"), split_set(r"\p{N}")
    assert split_set(r"\s") == out["white"]
    assert added_set(lambda e: e.offsets[0][1] == 3, rstrip=True) == out["white"]
    out["word"] = added_set(lambda e: e.ids[0] != 2, single_word=True)
    forms = {n: getattr(normalizers, n)() for n in ("NFD", "NFC", "NFKD", "NFKC")}
    nfd = {c: forms["NFD"].normalize_str(chr(c)) for c in CODE_POINTS}
    # a combining class above 0 shows by a change of order beside a mark of class 1 or 10
    ordered = {c for c in CODE_POINTS if forms["NFD"].normalize_str(chr(c) + "\u0334") == "\u0334" + nfd[c]}
    ordered |= {c for c in CODE_POINTS if forms["NFD"].normalize_str("\u05b0" + chr(c)) == nfd[c] + "\u05b0"}
    out["decomposes"] = {c for c in CODE_POINTS if nfd[c] != chr(c)} | ordered
    out["normalizes"] = set(out["decomposes"])
    for c in CODE_POINTS:
        if any(f.normalize_str(chr(c)) != chr(c) for f in forms.values()):
            out["normalizes"].add(c)
        if nfd[c] != chr(c):
            out["normalizes"] |= {ord(x) for x in nfd[c]}
    return out


def lower_runs():
    lower = normalizers.Lowercase()
    pairs = [(c, lower.normalize_str(chr(c))) for c in CODE_POINTS]
    pairs = [(c, t) for c, t in pairs if t != chr(c)]
    assert [(c, t) for c, t in pairs if len(t) > 1] == [(0x130, "i\u0307")]
    runs = []
    for c, t in pairs:
        if c == 0x130:
            continue
        delta = ord(t) - c
        if runs and runs[-1][3] == delta:
            first, last, step, _ = runs[-1]
            if last == first and c - last in (1, 2):
                runs[-1] = [first, c, c - last, delta]
                continue
            if last > first and c - last == step:
                runs[-1][1] = c
                continue
        runs.append([c, c, 1, delta])
    return runs


def rows(items, width=118):
    line = " "
    for item in items:
        if len(line) + len(item) + 1 > width:
            yield line
            line = " "
        line += " " + item
    yield line


def main():
    sets = classes()
    edges, last, edge = [], -1, 0
    for c in range(0x110000):
        value = sum(1 << i for i, name in enumerate(FLAGS) if c in sets[name])
        if value != last:
            edges.append(f"{(c - edge) << 10 | value},")
            last, edge = value, c
    print("// Made by make_unicode_tables.py from tokenizers %s; not to be edited." % tokenizers.__version__)
    print("// What each code point is to the tokenizers library. Tested by tests/parity/tokenizer_parity.cc.")
    print('#include "libmod/prepare/text/unicode_tables.h"\n\nnamespace modnet::text {\n')
    print("// wherever the flags change: code points since the last change << 10 | flags from here on")
    print("const uint32_t kFlagEdges[] = {")
    print("\n".join(rows(edges)))
    print("};\nconst int64_t kFlagEdgeCount = sizeof(kFlagEdges) / sizeof(kFlagEdges[0]);\n")
    print("// first, last, step, what to add")
    print("const LowerRun kLowerRuns[] = {")
    print("\n".join(rows("{0x%x, 0x%x, %d, %d}," % tuple(r) for r in lower_runs())))
    print("};\nconst int64_t kLowerRunCount = sizeof(kLowerRuns) / sizeof(kLowerRuns[0]);\n")
    print("}  // namespace modnet::text")


if __name__ == "__main__":
    sys.exit(main())
