"""The probes and evidence trailers, from man/modnet-module.5. See read_module.py."""
import struct
import sys

from reader_base import DTYPE_SIZE, Hash, Table, need


def probes_digest(raw):
    root = Table.root(raw, b"MNPR")
    h = Hash("modnet.probes.v1")
    count = root.scalar(0, "Q")
    h.number(count)
    for field in (2, 3):
        arrays = root.tables(field)
        h.number(len(arrays))
        for array in arrays:
            shape, offsets = array.numbers(2, "Q"), array.numbers(3, "Q")
            at, size = array.vector(4)
            data = bytes(raw[at : at + size])
            rows = offsets[-1] if offsets else count
            need(not offsets or (len(offsets) == count + 1 and offsets == sorted(offsets)), "probe offsets")
            item = DTYPE_SIZE[array.scalar(1, "B")]
            for dim in shape:
                item *= dim
            need(len(data) == rows * item, "probe rows")
            h.field(array.string(0))
            h.number(array.scalar(1, "B"))
            h.list(shape, h.number)
            h.list(offsets, h.number)
            h.field(data)
    return h.done()


def count_fields(table):
    """Slots of a table's vtable that are used, up to the last."""
    data, at = table.tab.Bytes, table.tab.Pos
    vtable = at - struct.unpack_from("<i", data, at)[0]
    slots = struct.unpack_from(f"<{(struct.unpack_from('<H', data, vtable)[0] - 4) // 2}H", data, vtable + 4)
    return max((i + 1 for i, offset in enumerate(slots) if offset), default=0)


def read_evidence(raw):
    """Records of an evidence trailer as dictionaries, every rule checked."""
    need(len(raw) <= 4 << 20, "length of the evidence")
    root = Table.root(raw, b"MNEV")
    tables = root.tables(0)
    need(count_fields(root) <= 1 and 1 <= len(tables) <= 1024, "records of evidence")
    out, keys = [], []
    for t in tables:
        need(count_fields(t) <= 16, "unknown field of a record of evidence")
        texts = {name: t.string(field) for name, field in (("port", 0), ("policy", 4), ("how", 5))}
        for text in texts.values():
            text.decode("utf-8")
            need(len(text) <= 1024, "length of a text in the evidence")
        digests = {name: t.digest(field) for name, field in (("fingerprint", 1), ("root", 2), ("probes", 3))}
        need(texts["port"] and all(any(digest) for digest in digests.values()), "port and digests of evidence")
        names = ("tolerance", "count", "probe_distance", "largest", "mean", "cosine_min", "cosine_mean", "cka")
        codes = zip((*names, "neighbours", "nonfinite"), "dQdddddddQ")
        values = {name: t.scalar(field, code) for field, (name, code) in enumerate(codes, start=6)}
        for name, value in values.items():
            low = -1 if name.startswith("cosine") else 0
            high = 1 if name in ("tolerance", "cka", "neighbours") or low < 0 else sys.float_info.max
            need(low <= value <= high, f"range of {name} in the evidence")
        need(1 <= values["count"] and values["nonfinite"] <= values["count"], "probes of evidence")
        keys.append((texts["port"], digests["fingerprint"], digests["root"], texts["how"]))
        out.append({**texts, **digests, **values})
    need(keys == sorted(set(keys)), "records of evidence are sorted and unique")
    return out
