#!/usr/bin/env python3
"""Writes the seeds of the tokenizer fuzz target into tokenizer/ beside this file: one byte (where the JSON ends, in
256ths), a small tokenizer.json, a text."""
import json
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer")


def token(number, content, **on):
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {"id": number, "content": content, **{f: on.get(f, False) for f in flags}}


def bert(added=(), normalizer=None, **model):
    vocab = {t: i for i, t in enumerate(["[UNK]", "[CLS]", "[SEP]", "a", "b", "##a", "##b", "the", "é"])}
    pieces = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    specials = {t: {"id": t, "ids": [vocab[t]], "tokens": [t]} for t in ("[CLS]", "[SEP]")}
    return {"version": "1.0", "added_tokens": [token(1, "[CLS]", special=True), *added],
            "normalizer": normalizer or {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                                         "strip_accents": None, "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing", "single": pieces,
                               "pair": pieces + [{"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": specials},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": vocab, **model}}


def bpe(normalizer=None, **model):
    vocab = {t: i for i, t in enumerate(["<s>", "a", "b", "Ġ", "ab", "Ġa", "Ã", "©"])}
    return {"version": "1.0", "added_tokens": [token(0, "<s>", rstrip=True, special=True)], "normalizer": normalizer,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "post_processor": {"type": "RobertaProcessing", "sep": ["<s>", 0], "cls": ["<s>", 0], "trim_offsets": True,
                               "add_prefix_space": True},
            "model": {"type": "BPE", "vocab": vocab, "merges": [["a", "b"], ["Ġ", "a"]], **model}}


def write(name, document, text):
    part = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    body = text.encode("utf-8", "surrogatepass")
    half = max(len(part), len(body))
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(bytes([127]) + part.ljust(half) + body.ljust(half))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    text = "the ÉTÉ ab\u0301\u0323, [CLS] 漢字 b\u00adab  " * 8
    added = [token(9, "New York", single_word=True, normalized=True), token(10, " x", lstrip=True, rstrip=True)]
    steps = [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Replace", "pattern": {"String": "a"}, "content": "b"},
             {"type": "Prepend", "prepend": "a"}, {"type": "StripAccents"},
             {"type": "Strip", "strip_left": True, "strip_right": True}]
    write("bert", bert(), text)
    write("bert-added", bert(added), "new york  x <a> New York NEW YORK " + text)
    write("bert-steps", bert(added, {"type": "Sequence", "normalizers": steps}), text)
    write("bert-long", bert(max_input_chars_per_word=3), "a" * 300 + " ab aba abab")
    write("bpe", bpe(), "ab a  b\n\nabé <s>  ab" * 8)
    write("bpe-merges", bpe(merges=["a b", "Ġ a"], ignore_merges=True, unk_token="b", fuse_unk=True), "ab  cc ab" * 9)
    write("bpe-nfc", bpe({"type": "NFC"}), "e\u0301 a'll 'sx" * 9)
    write("bad-merge", bpe(merges=["a z"]), "ab")
    write("bad-id", bert(vocab={"[UNK]": -1}), "ab")
    write("unigram", bert(type="Unigram"), "ab")
    write("surrogate", bpe(), "ab\ud800" * 20)


if __name__ == "__main__":
    main()
