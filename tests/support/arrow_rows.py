#!/usr/bin/env python3
"""Looks into Arrow IPC streams and files that modnet wrote, with the standard library alone; for command-line cases.

arrow_rows.py FILE             prints each row: its id (column 0, text) and the bytes of its numbers (column 1, a fixed list) in hex
arrow_rows.py FILE --unseal    writes the stream without its closing batch to standard output, as a filter that drops it would
"""
import struct
import sys


def field(data, table, slot):
    """Where a FlatBuffers table holds its field number `slot`; None where it has none."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * slot >= struct.unpack_from("<H", data, vtable)[0]:
        return None
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * slot)[0]
    return table + offset if offset else None


def follow(data, at):
    return at + struct.unpack_from("<I", data, at)[0]


def messages(data):
    """(first byte, metadata, body, next byte) of every message, the schema's first."""
    at = 8 if data[:6] == b"ARROW1" else 0
    while True:
        mark, size = struct.unpack_from("<Ii", data, at)
        assert mark == 0xFFFFFFFF
        if size == 0:
            return
        meta = data[at + 8:at + 8 + size]
        root = follow(meta, 0)
        length = field(meta, root, 3)
        body = struct.unpack_from("<q", meta, length)[0] if length else 0
        begin = at + 8 + size
        yield at, meta, data[begin:begin + body], begin + body
        at = begin + body


def rows(data):
    for _, meta, body, _ in list(messages(data))[1:]:
        batch = follow(meta, field(meta, follow(meta, 0), 2))
        length = field(meta, batch, 0)
        count = struct.unpack_from("<q", meta, length)[0] if length else 0
        if count == 0:
            continue
        table = follow(meta, field(meta, batch, 2))
        buffers = [struct.unpack_from("<qq", meta, table + 4 + 16 * i) for i in range(struct.unpack_from("<I", meta, table)[0])]
        part = [body[offset:offset + size] for offset, size in buffers]
        ends = struct.unpack_from("<%di" % (count + 1), part[1])  # text: validity, offsets, bytes; then list: validity, child's validity, values
        width = len(part[5]) // count // 4 * 4
        for i in range(count):
            yield part[2][ends[i]:ends[i + 1]].decode(), part[5][i * width:(i + 1) * width].hex()


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    if "--unseal" in sys.argv:
        last = list(messages(data))[-1]
        sys.stdout.buffer.write(data[:last[0]] + data[last[3]:])
    else:
        for name, values in rows(data):
            print(name, values)


if __name__ == "__main__":
    main()
