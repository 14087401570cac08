"""Changes a module file under its signatures as somebody would who wants to be believed: every checksum and digest is made
right again, so that only a signature can notice. Old and new bytes are equally long, so nothing moves. For CLI cases.
"""
import hashlib
import struct

CARD, PROBES, EVIDENCE, SIGNATURES = 1, 2, 3, 4

# XXH3-64 of 97 to 128 bytes with seed 0 (xxHash 0.8), for the preamble; the head of its secret.
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
)
MASK = 2**64 - 1


def xxh3(data):
    def mix(at, secret):
        low, high = struct.unpack_from("<QQ", data, at)
        one, two = struct.unpack_from("<QQ", SECRET, secret)
        product = (low ^ one) * (high ^ two)
        return (product ^ (product >> 64)) & MASK

    n = len(data)
    assert 96 < n <= 128
    out = n * 0x9E3779B185EBCA87
    for i in range(4):
        out += mix(16 * i, 32 * i) + mix(n - 16 * (i + 1), 32 * i + 16)
    out &= MASK
    out ^= out >> 37
    out = out * 0x165667919E3779F9 & MASK
    return out ^ (out >> 32)


def parts(data):
    """{"index" or kind of a trailer: (offset, length)}"""
    index, length = struct.unpack_from("<QQ", data, 16)
    out = {"index": (index, length)}
    directory, size = struct.unpack_from("<QQ", data, 72)
    for at in range(directory, directory + size, 56):
        kind, _, offset, length = struct.unpack_from("<IIQQ", data, at)
        out[kind] = (offset, length)
    return out


def sealed(data):
    """The same file with digests and checksum that fit its bytes."""
    out = bytearray(data)
    index, index_length = struct.unpack_from("<QQ", out, 16)
    directory, size = struct.unpack_from("<QQ", out, 72)
    for at in range(directory, directory + size, 56):
        offset, length = struct.unpack_from("<QQ", out, at + 8)
        out[at + 24 : at + 56] = hashlib.sha256(out[offset : offset + length]).digest()
    out[40:72] = hashlib.sha256(out[index : index + index_length]).digest()
    out[88:120] = hashlib.sha256(out[directory : directory + size]).digest()
    out[120:128] = struct.pack("<Q", xxh3(bytes(out[:120])))
    return bytes(out)


def changed(data, part, old, new):
    """Another text of the same length in the index or in a trailer."""
    assert len(old) == len(new), (old, new)
    offset, length = parts(data)[part]
    body = data[offset : offset + length]
    assert old in body, (part, old)
    return sealed(data[:offset] + body.replace(old, new) + data[offset + length :])


def with_component(data, old, new):
    """Another component of the same length in the place of `old`, under its own file digest."""
    assert len(old) == len(new)
    at = data.index(old)
    data = data[:at] + new + data[at + len(old) :]
    return changed(data, "index", hashlib.sha256(old[:128]).digest(), hashlib.sha256(new[:128]).digest())
