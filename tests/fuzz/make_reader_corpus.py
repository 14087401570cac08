#!/usr/bin/env python3
"""Writes the seed files of the fuzz targets safetensors, npy, idx and table: small valid files and near misses.

usage: make_reader_corpus.py CORPUS_FOLDER        (only the standard library is needed)
"""
import gzip
import json
import pathlib
import struct
import sys


def safetensors(header, data=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def npy(descr, shape, data, order="False", version=1):
    header = "{'descr': %r, 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)
    width = 10 if version == 1 else 12
    header += " " * (-(width + len(header) + 1) % 64) + "\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + data


def idx(code, dims, data):
    return bytes([0, 0, code, len(dims)]) + struct.pack(">%dI" % len(dims), *dims) + data


def seeds():
    yield "safetensors", "empty", safetensors({})
    yield "safetensors", "two", safetensors(
        {"a": tensor("F32", [2, 2], 0, 16), "b.w": tensor("I64", [1], 16, 24), "__metadata__": {"format": "pt"}}, bytes(24))
    yield "safetensors", "scalar", safetensors({"s": tensor("BF16", [], 0, 2)}, b"\x80\x3f")
    yield "safetensors", "zero", safetensors({"z": tensor("F16", [0, 3], 0, 0), "y": tensor("BOOL", [3], 0, 3)}, b"\0\1\0")
    yield "safetensors", "overlap", safetensors({"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [4], 2, 6)}, bytes(6))
    yield "safetensors", "hole", safetensors({"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [4], 5, 9)}, bytes(9))
    yield "safetensors", "duplicate", safetensors(
        b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}')
    yield "safetensors", "overflow", safetensors({"a": tensor("F64", [1 << 40, 1 << 40], 0, 8)}, bytes(8))
    yield "safetensors", "float8", safetensors({"a": tensor("F8_E4M3", [1], 0, 1)}, b"x")
    yield "safetensors", "deep", safetensors(b'{"a":' + b"[" * 200)
    yield "safetensors", "padded", safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   ', b"x")
    yield "safetensors", "index", json.dumps(
        {"metadata": {"total_size": 8}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}).encode()
    yield "safetensors", "index_escape", b'{"weight_map":{"a":"../../etc/passwd"}}'

    yield "npy", "f4", npy("<f4", "(2, 3)", bytes(24))
    yield "npy", "i8", npy("<i8", "(3,)", bytes(24))
    yield "npy", "bool", npy("|b1", "(3,)", b"\0\1\1")
    yield "npy", "scalar", npy("<f8", "()", bytes(8))
    yield "npy", "unicode", npy("<U3", "(2,)", "ab\0\u00e9\U0001f600\0".encode("utf-32-le"))
    yield "npy", "bytes", npy("|S4", "(2,)", b"ab\0\0abcd")
    yield "npy", "version2", npy("<f2", "(1, 2)", bytes(4), version=2)
    yield "npy", "version3", npy("<u2", "(0, 2)", b"", version=3)
    yield "npy", "fortran", npy("<f4", "(2, 2)", bytes(16), order="True")
    yield "npy", "big", npy(">f4", "(1,)", bytes(4))
    yield "npy", "object", npy("|O", "(1,)", b"\x80\x04.")
    yield "npy", "overflow", npy("<f4", "(4294967296, 4294967296)", b"")
    yield "npy", "none_wide", npy("<U0", "(3,)", b"")

    pixels = bytes(range(2 * 3 * 3))
    yield "idx", "pictures", idx(8, [2, 3, 3], pixels)
    yield "idx", "labels", idx(8, [5], b"\0\1\2\1\0")
    yield "idx", "i16", idx(11, [2], b"\0\1\xff\xfe")
    yield "idx", "f32", idx(13, [2, 1], struct.pack(">2f", 1.5, -2))
    yield "idx", "f64", idx(14, [1], struct.pack(">d", 0.1))
    yield "idx", "none", idx(8, [0], b"")
    yield "idx", "bomb", idx(8, [0xFFFFFFFF, 28, 28], b"few")
    yield "idx", "overflow", idx(14, [0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF], b"")
    yield "idx", "trailing", idx(8, [1], b"12")
    yield "idx", "gzip", gzip.compress(idx(8, [2, 3, 3], pixels), mtime=0)

    lines, csv, tsv, jsonl, tsv_rfc, csv_plain = (bytes([n]) for n in range(6))
    yield "table", "lines", lines + b"one\ntwo\r\n\nthree"
    yield "table", "lines_mark", lines + b"\xef\xbb\xbfone\nt\xc3\xa9st\n"
    yield "table", "lines_bad", lines + b"one\n\xff\n"
    yield "table", "lines_gzip", lines + gzip.compress(b"one\ntwo\n" * 20, mtime=0)
    yield "table", "csv", csv + b'a,b\r\n1,"x,y"\r\n"say ""hi""",2\r\n\r\n"two\nlines",""\r\n'
    yield "table", "csv_ragged", csv + b"a,b\n1,2\n3\n"
    yield "table", "csv_unclosed", csv + b'a,b\n"1,2\n3,4\n'
    yield "table", "csv_after", csv + b'a,b\n"1" ,2\n'
    yield "table", "csv_single", csv + b'a\n\nx\n""\n'
    yield "table", "csv_twice", csv + b"a,b,a\n1,2,3\n"
    yield "table", "tsv", tsv + b'id\ttext\n1\t"C" Language\n2\t"""C"" Language"\n3\t"a\tb"\n'
    yield "table", "tsv_open", tsv + b'id\ttext\n1\t"open\n2\tx\n'
    yield "table", "tsv_rfc", tsv_rfc + b'id\ttext\n1\t"two\nlines"\n2\tx\n'
    yield "table", "csv_plain", csv_plain + b'a,b\n"1,2"\n'
    yield "table", "jsonl", jsonl + b'{"a":"x\\n\\u00e9","b":1.50,"c":null,"d":true}\n\n{"b":-2,"a":"y"}\n'
    yield "table", "jsonl_nested", jsonl + b'{"a":{"x":[1,2]},"b":"z"}\n'
    yield "table", "jsonl_cut", jsonl + b'{"a":"x"}\n{"a":"y'
    yield "table", "jsonl_twice", jsonl + b'{"a":1,"a":2}\n'


def main():
    root = pathlib.Path(sys.argv[1])
    for target, name, data in seeds():
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
