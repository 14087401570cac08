"""What every part of the second reader stands on: FlatBuffers by field id, and the hash of fields. See read_module.py."""
import hashlib
import struct

import flatbuffers.table

DTYPE_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, 11: 2, 12: 4, 13: 8}


class Bad(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Bad(what)


# FlatBuffers by field id: a table is (bytes, position); the field with id n has vtable slot 4 + 2 n.


class Table:
    def __init__(self, buffer, position):
        self.tab = flatbuffers.table.Table(buffer, position)

    @staticmethod
    def root(buffer, identifier):
        need(len(buffer) >= 8 and bytes(buffer[4:8]) == identifier, f"identifier {identifier!r}")
        return Table(buffer, struct.unpack_from("<I", buffer, 0)[0])

    def at(self, field):
        offset = self.tab.Offset(4 + 2 * field)
        return self.tab.Pos + offset if offset else None

    def scalar(self, field, code="I"):
        at = self.at(field)
        return 0 if at is None else struct.unpack_from("<" + code, self.tab.Bytes, at)[0]

    def optional(self, field):
        at = self.at(field)
        return None if at is None else struct.unpack_from("<d", self.tab.Bytes, at)[0]

    def struct(self, field, size):
        at = self.at(field)
        return bytes(size) if at is None else bytes(self.tab.Bytes[at : at + size])

    def digest(self, field):
        return self.struct(field, 32)

    def vector(self, field):
        """Position of the first element, and the count."""
        offset = self.tab.Offset(4 + 2 * field)
        return (self.tab.Vector(offset), self.tab.VectorLen(offset)) if offset else (0, 0)

    def numbers(self, field, code):
        at, count = self.vector(field)
        return list(struct.unpack_from(f"<{count}{code}", self.tab.Bytes, at))

    def table(self, field):
        at = self.at(field)
        return None if at is None else Table(self.tab.Bytes, self.tab.Indirect(at))

    def tables(self, field):
        at, count = self.vector(field)
        return [Table(self.tab.Bytes, self.tab.Indirect(at + 4 * i)) for i in range(count)]

    def string(self, field):
        at = self.at(field)
        return b"" if at is None else bytes(self.tab.String(at))

    def strings(self, field):
        at, count = self.vector(field)
        return [bytes(self.tab.String(at + 4 * i)) for i in range(count)]


class Hash:
    """SHA-256 over a domain word and length-prefixed fields."""

    def __init__(self, word):
        self.sha = hashlib.sha256()
        self.field(word.encode())

    def field(self, value):
        self.sha.update(struct.pack("<Q", len(value)) + value)

    def number(self, value):
        self.field(struct.pack("<Q", value & (2**64 - 1)))

    def real(self, value):
        self.field(struct.pack("<d", value))

    def list(self, values, add):
        self.number(len(values))
        for value in values:
            add(value)

    def done(self):
        return self.sha.digest()
