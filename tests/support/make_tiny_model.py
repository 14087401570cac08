#!/usr/bin/env python3
"""make_tiny_model.py DIR [SEED [ORDER]]: a sentence-transformers folder small enough for tests, made with the standard library.

A BERT of two layers, three heads and twelve columns, at most 32 positions, with the words of make_texts.sh as WordPiece vocabulary,
mean pooling and normalisation. The same SEED gives the same bytes everywhere; ORDER `reversed` numbers the words the other way
round: another tokenizer of the same size. Used by the command-line cases.
"""
import json
import os
import random
import struct
import sys

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 12, 2, 3, 24, 32
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ("red green blue yellow white black one two three four five six run jump walk swim ride fly".split()
         + [chr(c) for c in range(ord("a"), ord("z") + 1)] + ["##s", "##ing", "##er", "##ed", "##y", ".", ",", "!", "-", "'"])


def vocabulary(order):
    words = list(reversed(WORDS)) if order == "reversed" else WORDS
    return {word: number for number, word in enumerate(SPECIAL + words)}


def tokenizer(vocab):
    cls, sep = {"id": "[CLS]", "type_id": 0}, {"id": "[SEP]", "type_id": 0}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                          "special": True} for i, word in enumerate(SPECIAL)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": cls}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": sep}],
            "pair": [{"SpecialToken": cls}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": sep},
                     {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {word: {"id": word, "ids": [SPECIAL.index(word)], "tokens": [word]} for word in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": vocab}}


def shapes(words):
    out = {"embeddings.word_embeddings.weight": [words, HIDDEN], "embeddings.position_embeddings.weight": [POSITIONS, HIDDEN],
           "embeddings.token_type_embeddings.weight": [2, HIDDEN]}
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        at = "encoder.layer.%d." % layer
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            out[at + "attention." + part + ".weight"] = [HIDDEN, HIDDEN]
            out[at + "attention." + part + ".bias"] = [HIDDEN]
        out[at + "intermediate.dense.weight"], out[at + "intermediate.dense.bias"] = [INNER, HIDDEN], [INNER]
        out[at + "output.dense.weight"], out[at + "output.dense.bias"] = [HIDDEN, INNER], [HIDDEN]
        norms += [at + "attention.output.LayerNorm", at + "output.LayerNorm"]
    for norm in norms:
        out[norm + ".weight"], out[norm + ".bias"] = [HIDDEN], [HIDDEN]
    return dict(sorted(out.items()))


def weights(words, seed):
    draw = random.Random(seed)
    header, data = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, shape in shapes(words).items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        if "LayerNorm" in name:
            values = [1.0 if name.endswith("weight") else 0.0] * count
        else:
            width = 1.0 if "embeddings" in name else 0.4
            values = [(2.0 * draw.random() - 1.0) * width for _ in range(count)]
        begin = len(data)
        data += struct.pack("<%df" % count, *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def main():
    folder = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    vocab = vocabulary(sys.argv[3] if len(sys.argv) > 3 else "")
    kinds = "sentence_transformers.models."
    files = {
        "config.json": {
            "architectures": ["BertModel"], "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
            "hidden_size": HIDDEN, "initializer_range": 0.02, "intermediate_size": INNER, "layer_norm_eps": 1e-12,
            "max_position_embeddings": POSITIONS, "model_type": "bert", "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
            "pad_token_id": 0, "type_vocab_size": 2, "vocab_size": len(vocab)},
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": kinds + "Transformer"},
                         {"idx": 1, "name": "1", "path": "1_Pooling", "type": kinds + "Pooling"},
                         {"idx": 2, "name": "2", "path": "2_Normalize", "type": kinds + "Normalize"}],
        "sentence_bert_config.json": {"max_seq_length": POSITIONS, "do_lower_case": False},
        "tokenizer.json": tokenizer(vocab),
        "1_Pooling/config.json": {"word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
                                  "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}}
    for name, value in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            json.dump(value, out, indent=1)
    with open(os.path.join(folder, "model.safetensors"), "wb") as out:
        out.write(weights(len(vocab), seed))


if __name__ == "__main__":
    main()
