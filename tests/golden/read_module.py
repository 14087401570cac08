#!/usr/bin/env python3
"""A second reader of module files, written from man/modnet-module.5 alone: it shares no code and no generated code with
modnet. Reads every *.mnet file given (or in the folders given), checks every rule of that page that concerns bytes, and
recomputes every digest. Exits 0 when all files are right, 1 when one is not, 77 when a package is not installed.
With --digests TABLE (lines of name, content, file digest), those of the files must be as it says.
usage: read_module.py [--digests TABLE] FILE|FOLDER...   needs flatbuffers, zstandard, xxhash from PyPI
"""
import hashlib
import pathlib
import struct
import sys

try:
    import xxhash
    import zstandard

    from reader_base import DTYPE_SIZE, Bad, Hash, Table, need
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

from reader_signatures import check_signatures
from reader_trailers import probes_digest, read_evidence

MAGIC = b"\x89MNET\r\n\x1a"
RAW, ZSTD = 1, 2
BACKBONE, HEAD = 2, 3


class Module:
    """One module file, whole or a component."""

    def __init__(self, data, depth=0):
        need(depth <= 32, "components nested more than 32 deep")
        self.data, self.depth = data, depth
        self.read_preamble()
        self.read_index()
        self.read_segments()
        self.read_trailers()
        self.read_padding()
        self.compute_digests()
        self.read_components()
        self.check_claims()
        self.keys = check_signatures(self)

    def read_preamble(self):
        d = self.data
        need(len(d) >= 128 and d[:8] == MAGIC, "magic")
        major, _minor, length = struct.unpack_from("<HHI", d, 8)
        need(major == 1 and length == 128, "version")
        self.index_at, self.index_len, file_len = struct.unpack_from("<QQQ", d, 16)
        self.directory_at, self.directory_len = struct.unpack_from("<QQ", d, 72)
        self.index_sha, self.directory_sha = d[40:72], d[88:120]
        need(struct.unpack_from("<Q", d, 120)[0] == xxhash.xxh3_64_intdigest(d[:120]), "preamble XXH3")
        need(file_len == len(d), "file length")
        need(self.index_at % 64 == 0 and self.directory_at % 64 == 0, "alignment of index and directory")
        need(self.directory_at + self.directory_len == len(d), "directory is last")
        self.file_digest = hashlib.sha256(d[:128]).digest()

    def read_index(self):
        raw = self.data[self.index_at : self.index_at + self.index_len]
        need(hashlib.sha256(raw).digest() == self.index_sha, "index SHA-256")
        self.index = Table.root(raw, b"MNET")
        self.texts = self.index.strings(0)
        need(self.texts[0] == b"", "text 0 is empty")
        need(len(set(self.texts)) == len(self.texts), "texts are unique")
        for text in self.texts:
            text.decode("utf-8")
        self.kind = self.index.scalar(2, "B")
        need(1 <= self.kind <= 5, "kind")
        need(not self.index.numbers(12, "I"), "no required feature is known")

    def text(self, table, field):
        return self.texts[table.scalar(field)]

    def hash_texts(self, h, table, *fields):
        for field in fields:
            h.field(self.text(table, field))

    def text_list(self, table, field):
        return [self.texts[number] for number in table.numbers(field, "I")]

    def read_segments(self):
        """Tensors, assets and component ranges, in order, without holes; each part's bytes checked."""
        self.parts = [(0, 128)]
        self.cursor = 128
        self.tensors = [self.part(t, 4, 5, 6, 7, 8, 9, 10, codec=3) for t in self.index.tables(9)]
        for table, part in zip(self.index.tables(9), self.tensors):
            part["dtype"], part["shape"] = table.scalar(1, "B"), table.numbers(2, "Q")
            size = DTYPE_SIZE[part["dtype"]]
            for dim in part["shape"]:
                size *= dim
            need(size == part["raw_length"], f"shape of {part['name']}")
        self.assets = [self.part(t, 3, 4, 5, 6, 7, 8, 9, codec=2) for t in self.index.tables(10)]
        for parts in (self.tensors, self.assets):
            names = [part["name"] for part in parts]
            need(names == sorted(set(names)), "names are sorted and unique")
        self.ranges, seen = [], {}
        for t in self.index.tables(11):
            offset, length = t.scalar(1, "Q"), t.scalar(2, "Q")
            record = (offset, length, t.digest(3), t.digest(4))
            if offset in seen:
                need(seen[offset] == record, "a shared range has one description")
            else:
                self.place(offset, length, "component")
                seen[offset] = record
            self.ranges.append((self.text(t, 0), *record))
        slots = [r[0] for r in self.ranges]
        need(slots == sorted(set(slots)), "slots are sorted and unique")
        self.place(self.index_at, self.index_len, "index")

    def place(self, offset, length, what):
        need(offset == (self.cursor + 63) // 64 * 64, f"{what} at {offset}: a hole or an overlap")
        self.cursor = offset + length
        need(self.cursor <= len(self.data), f"{what} inside the file")
        self.parts.append((offset, length))

    def part(self, t, offset, stored, raw, chunk_raw, chunks, digest, xxh, codec):
        out = {"name": self.text(t, 0), "raw_length": t.scalar(raw, "Q"), "digest": t.digest(digest)}
        at, length = t.scalar(offset, "Q"), t.scalar(stored, "Q")
        self.place(at, length, out["name"])
        data = self.data[at : at + length]
        need(xxhash.xxh3_128_digest(data) == t.struct(xxh, 16), f"XXH3 of {out['name']}")
        kind = t.scalar(codec, "B")
        need(kind in (RAW, ZSTD), "codec")
        if kind == ZSTD:
            data = unchunk(data, t.numbers(chunks, "Q"), t.scalar(chunk_raw, "Q"), out["raw_length"])
        need(len(data) == out["raw_length"], f"raw length of {out['name']}")
        need(hashlib.sha256(data).digest() == out["digest"], f"SHA-256 of {out['name']}")
        return out

    def read_trailers(self):
        raw = self.data[self.directory_at :]
        need(hashlib.sha256(raw).digest() == self.directory_sha, "directory SHA-256")
        need(len(raw) % 56 == 0, "directory length")
        self.trailers, last = {}, 0
        for at in range(0, len(raw), 56):
            kind, zero, offset, length = struct.unpack_from("<IIQQ", raw, at)
            need(kind > last and zero == 0, "trailers are sorted by kind")
            last = kind
            self.place(offset, length, f"trailer {kind}")
            body = self.data[offset : offset + length]
            need(hashlib.sha256(body).digest() == raw[at + 24 : at + 56], f"SHA-256 of trailer {kind}")
            self.trailers[kind] = body
        if self.trailers.get(3, b"")[4:8] == b"MNEV":  # anything else is kept, unread
            self.evidence = read_evidence(self.trailers[3])
        self.place(self.directory_at, self.directory_len, "directory")

    def read_padding(self):
        cursor = 0
        for offset, length in self.parts:
            need(not any(self.data[cursor:offset]), "padding is zero")
            cursor = offset + length
        need(cursor == len(self.data), "nothing after the end")

    def compute_digests(self):
        h = Hash("modnet.body.v1")
        h.number(self.kind)
        h.field(self.graph_digest(self.index.table(8)))
        h.number(len(self.tensors))
        for part in self.tensors:
            h.field(part["name"])
            h.number(part["dtype"])
            h.list(part["shape"], h.number)
            h.field(part["digest"])
        h.number(len(self.assets))
        for part in self.assets:
            h.field(part["name"])
            h.field(part["digest"])
        h.number(len(self.ranges))
        for slot, _, _, content, _ in self.ranges:
            h.field(slot)
            h.field(content)
        self.body = h.done()
        self.contract = self.contract_digest()
        h = Hash("modnet.content.v1")
        h.field(self.contract)
        h.field(self.body)
        self.content = h.done()

    def graph_digest(self, graph):
        h = Hash("modnet.graph.v1")
        h.list(self.text_list(graph, 0), h.field)
        h.list(self.text_list(graph, 1), h.field)
        nodes = graph.tables(2)
        h.number(len(nodes))
        for node in nodes:
            self.hash_texts(h, node, 0, 1)
            h.number(node.scalar(2))
            h.list(self.text_list(node, 4), h.field)
            h.list(self.text_list(node, 5), h.field)
            h.list(node.tables(6), lambda attribute: self.hash_attribute(h, attribute))
        h.list(graph.tables(3), lambda tap: self.hash_texts(h, tap, 0, 1))
        return h.done()

    def hash_attribute(self, h, a):
        kind = a.scalar(1, "B")
        h.field(self.text(a, 0))
        h.number(kind)
        if kind == 1:
            h.number(a.scalar(2, "q"))
        elif kind == 2:
            h.real(a.scalar(3, "d"))
        elif kind == 3:
            h.field(self.text(a, 4))
        elif kind == 4:
            h.list(a.numbers(5, "q"), h.number)
        elif kind == 5:
            h.list(a.numbers(6, "d"), h.real)
        else:
            need(kind == 6, "attribute type")
            h.list(self.text_list(a, 7), h.field)

    def contract_digest(self):
        h = Hash("modnet.contract.v1")
        h.list(self.index.tables(6), lambda port: self.hash_port(h, port))
        needs = self.index.table(7)
        h.number(needs.scalar(0, "H"))
        h.number(needs.scalar(1, "H"))
        ops = needs.tables(2)
        h.number(len(ops))
        for op in ops:
            self.hash_texts(h, op, 0, 1)
            h.number(op.scalar(2))
        for field, code in ((3, "Q"), (4, "Q"), (5, "B")):
            h.number(needs.scalar(field, code))
        h.field(self.text(needs, 6))
        h.field(needs.digest(7))
        h.list(needs.tables(8), lambda item: self.hash_texts(h, item, 0, 1))
        return h.done()

    def hash_port(self, h, p):
        h.number(p.scalar(0))
        h.number(p.scalar(1, "B"))
        self.hash_texts(h, p, 2, 3)
        h.number(p.scalar(4, "B"))
        h.number(p.scalar(5, "B"))
        dims = p.tables(6)
        h.number(len(dims))
        for dim in dims:
            h.field(self.text(dim, 0))
            for field in (1, 2, 3, 4):
                h.number(dim.scalar(field, "Q"))
        h.number(p.scalar(7, "B"))
        h.number(p.scalar(8, "B"))
        records = (self.hash_sequence, self.hash_values, self.hash_preparation, self.hash_space, self.hash_labels)
        for field, add in enumerate((*records, self.hash_quantisation), start=9):
            record = p.table(field)
            h.number(0 if record is None else 1)
            if record is not None:
                add(h, record)

    def hash_sequence(self, h, r):
        for field, code in ((0, "I"), (1, "Q"), (2, "q"), (3, "B"), (4, "B"), (5, "B"), (6, "Q")):
            h.number(r.scalar(field, code))
        h.real(r.scalar(7, "d"))
        h.field(self.text(r, 8))

    def hash_values(self, h, r):
        for field in (0, 1):
            value = r.optional(field)
            h.number(0 if value is None else 1)
            if value is not None:
                h.real(value)
        h.list(r.numbers(2, "d"), h.real)
        h.list(r.numbers(3, "d"), h.real)
        h.number(r.scalar(4, "B"))
        h.number(r.scalar(5, "B"))
        h.real(r.scalar(6, "d"))

    def hash_preparation(self, h, r):
        h.field(self.text(r, 0))
        h.field(r.digest(1))
        ids = r.tables(2)
        h.number(len(ids))
        for item in ids:
            h.field(self.text(item, 0))
            h.number(item.scalar(1, "q"))
        self.hash_texts(h, r, 3, 4)
        h.list(self.text_list(r, 5), h.field)

    def hash_space(self, h, r):
        self.hash_texts(h, r, 0, 1)
        h.field(r.digest(2))
        h.field(r.digest(3))
        for field in (4, 5, 6):
            h.number(r.scalar(field, "B"))
        h.list(r.numbers(7, "Q"), h.number)
        h.field(r.digest(8))

    def hash_labels(self, h, r):
        h.list(self.text_list(r, 0), h.field)
        h.number(r.scalar(1, "B"))
        h.list(r.numbers(2, "d"), h.real)

    def hash_quantisation(self, h, r):
        self.hash_texts(h, r, 0, 1)

    def read_components(self):
        self.components = {}
        for slot, offset, length, content, file in self.ranges:
            inner = Module(self.data[offset : offset + length], self.depth + 1)
            need(inner.content == content, f"content of component {slot}")
            need(inner.file_digest == file, f"file digest of component {slot}")
            self.components[slot] = inner

    def fingerprint(self, port):
        """Of the space of an output port of a backbone."""
        preparation = bytes(32)
        for other in self.index.tables(6):
            if other.scalar(1, "B") == 1 and other.table(11) is not None:
                preparation = other.table(11).digest(1)
                break
        h = Hash("modnet.space.v1")
        h.field(self.body)
        h.field(preparation)
        h.field(self.text(port, 3))
        h.number(port.table(12).scalar(5, "B"))
        h.number(port.table(12).scalar(6, "B"))
        h.list([d.scalar(1, "Q") if d.scalar(0) == 0 else 0 for d in port.tables(6)], h.number)
        return h.done()

    def check_claims(self):
        """Fingerprints of a backbone's spaces; the probes that a head names."""
        probes = probes_digest(self.trailers[2]) if 2 in self.trailers else None
        for port in self.index.tables(6):
            space = port.table(12)
            if space is None:
                continue
            if self.kind == BACKBONE and port.scalar(1, "B") == 2:
                need(self.fingerprint(port) == space.digest(2), "fingerprint of a space")
            if self.kind == HEAD and any(space.digest(8)):
                need(probes == space.digest(8), "digest of the probes")


def unchunk(stored, sizes, chunk_raw, raw_length):
    need(1 << 20 <= chunk_raw <= 4 << 20, "chunk size")
    need(len(sizes) == -(-raw_length // chunk_raw) and sum(sizes) == len(stored), "chunk table")
    out, at = bytearray(), 0
    for i, size in enumerate(sizes):
        raw = min(chunk_raw, raw_length - i * chunk_raw)
        need(1 <= size <= raw, "stored length of a chunk")
        chunk = stored[at : at + size]
        if size < raw:
            chunk = zstandard.ZstdDecompressor().decompress(chunk, max_output_size=raw)
        need(len(chunk) == raw, "raw length of a chunk")
        out += chunk
        at += size
    return bytes(out)


def show(name, module):
    print(f"{name}: content sha256:{module.content.hex()} file sha256:{module.file_digest.hex()}")
    for slot, inner in module.components.items():
        show(f"{name}/{slot.decode()}", inner)


def main(arguments):
    expected = {}
    if arguments[:1] == ["--digests"]:
        lines = pathlib.Path(arguments[1]).read_text().splitlines()
        expected = {name: digests for name, *digests in (line.split() for line in lines)}
        arguments = arguments[2:]
    files = []
    for argument in map(pathlib.Path, arguments):
        files += sorted(argument.glob("*.mnet")) if argument.is_dir() else [argument]
    if not files:
        print("no file given", file=sys.stderr)
        return 2
    failures = 0
    for path in files:
        try:
            module = Module(path.read_bytes())
            found = [module.content.hex(), module.file_digest.hex()]
            need(not expected or expected.pop(path.stem, None) == found, "the digests are not those of the table")
            show(path.name, module)
        except (Bad, struct.error, IndexError, KeyError, UnicodeDecodeError, zstandard.ZstdError) as error:
            print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
            failures += 1
    if expected:
        print(f"no such files: {' '.join(expected)}", file=sys.stderr)
    return 1 if failures or expected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
