"""The signatures of a module, from man/modnet-module.5 and RFC 8032 alone: the statement's digest over the second reader's
own fields, and Ed25519 in plain Python (slow, and only ever used to check). See read_module.py.
"""
import hashlib
import struct

from reader_base import Hash, need

SIGNATURES = 4


def statement_digest(m):
    """`m` is a read_module.Module."""
    h = Hash("modnet.statement.v1")
    h.number(struct.unpack_from("<H", m.data, 8)[0])
    h.number(m.kind)
    m.hash_texts(h, m.index, 1, 3, 4)
    h.field(m.contract)
    h.field(m.content)
    trailers = [(kind, body) for kind, body in sorted(m.trailers.items()) if kind != SIGNATURES]
    h.number(len(trailers))
    for kind, body in trailers:
        h.number(kind)
        h.field(hashlib.sha256(body).digest())
    parents = m.index.tables(5)
    h.number(len(parents))
    for parent in parents:
        m.hash_texts(h, parent, 0, 1)
        h.field(parent.digest(2))
    h.list(m.text_list(m.index, 12), h.field)
    h.list(m.text_list(m.index, 13), h.field)
    h.number(len(m.ranges))
    for slot, _, _, _, file in m.ranges:
        h.field(slot)
        h.field(file)
    h.list(m.index.tables(10), lambda asset: m.hash_texts(h, asset, 0, 1))
    h.list([m.text(node, 3) for node in m.index.table(8).tables(2)], h.field)
    return h.done()


def signed_text(digest):
    return b"modnet.statement.v1 sha256:" + digest.hex().encode() + b"\n"


def decode_signatures(raw):
    """[(key, signature)]"""
    magic, count = struct.unpack_from("<4sI", raw)
    need(magic == b"MNSG" and 1 <= count <= 1024 and len(raw) == 8 + 104 * count, "form of the signatures trailer")
    out = []
    for at in range(8, len(raw), 104):
        version, zero, key, signature = struct.unpack_from("<II32s64s", raw, at)
        need(version == 1 and zero == 0 and (not out or key > out[-1][0]), "entry of the signatures trailer")
        out.append((key, signature))
    return out


def check_signatures(m):
    """Every signature of the module holds; the keys."""
    if SIGNATURES not in m.trailers:
        return []
    signatures = decode_signatures(m.trailers[SIGNATURES])
    text = signed_text(statement_digest(m))
    for key, signature in signatures:
        need(verify(key, text, signature), f"signature of key {hashlib.sha256(key).hexdigest()[:16]}")
    return [key for key, _ in signatures]


# Ed25519 as RFC 8032, section 6 writes it down: points in extended homogeneous coordinates (x, y, z, t), xy = zt.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    out = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point = add(point, point)
        scalar >>= 1
    return out


def decompress(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != xx or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def verify(key, message, signature):
    a, r, s = decompress(key), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = multiply(s, BASE), add(r, multiply(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0
