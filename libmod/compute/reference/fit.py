#!/usr/bin/env python3
"""Fits the polynomials of libmod/compute/reference/coefficients.h (weighted Remez exchange) and prints that header.

Needs the PyPI package mpmath. Run it only to change a polynomial: changing one changes the bits of every result.
"""
import struct
import mpmath as mp

mp.mp.prec = 240


def remez(g, weight, low, high, degree, rounds=12):
    """Coefficients of the polynomial p that minimises max |(p - g) * weight| on [low, high], and that maximum."""
    n = degree + 2
    low, high = mp.mpf(low), mp.mpf(high)
    raw = weight
    weight = lambda x: raw(x) + mp.mpf(2) ** -40  # a node may fall on a zero of the weight
    nodes = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / 800) for i in range(801)]
    values = [(x, g(x), weight(x)) for x in grid]
    best = None
    for _ in range(rounds):
        a = mp.matrix(n, n)
        b = mp.matrix(n, 1)
        for i, x in enumerate(nodes):
            for j in range(degree + 1):
                a[i, j] = x**j
            a[i, n - 1] = (-1) ** i / weight(x)
            b[i] = g(x)
        s = mp.lu_solve(a, b)
        c = [s[j] for j in range(degree + 1)]
        errors = [(mp.polyval(c[::-1], x) - v) * w for x, v, w in values]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (c, worst)
        peaks = []  # the extremum of each run of one sign
        for i, e in enumerate(errors):
            if peaks and (errors[peaks[-1]] > 0) == (e > 0):
                if abs(e) > abs(errors[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > n:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        if len(peaks) < n:
            break
        nodes = [grid[i] for i in peaks]
    return best


def show(name, kind, fit, what):
    c, worst = fit
    fmt = '<f' if kind == 'float' else '<d'
    suffix = 'f' if kind == 'float' else ''
    print(f'/// {what}; error 2^{float(mp.log(worst, 2)):.1f}')
    print(f'inline constexpr {kind} {name}[] = {{')
    words = [float.hex(struct.unpack(fmt, struct.pack(fmt, float(x)))[0]) + suffix for x in c]
    for i in range(0, len(words), 4):
        print('    ' + ', '.join(words[i:i + 4]) + ',')
    print('};')


def constant(name, value, kind='double'):
    fmt = '<f' if kind == 'float' else '<d'
    x = struct.unpack(fmt, struct.pack(fmt, float(value)))[0]
    print(f'inline constexpr {kind} {name} = {float.hex(x)}{"f" if kind == "float" else ""};')
    return mp.mpf(x)


def head(value, bits):
    """The leading bits of a positive number."""
    e = int(mp.floor(mp.log(value, 2)))
    return mp.floor(value * mp.mpf(2) ** (bits - 1 - e)) / mp.mpf(2) ** (bits - 1 - e)


def main():
    third = mp.mpf(1) / 3
    tiny = mp.mpf(2) ** -60

    def exp_q(r):
        return mp.mpf(1) / 2 if abs(r) < tiny else (mp.exp(r) - 1 - r) / r**2

    def log_t(z):
        s = mp.sqrt(z)
        return 2 * third if z < tiny else (2 * mp.atanh(s) - 2 * s) / (s * z)

    def log_u(z):
        return mp.mpf(2) / 5 if z < tiny else (log_t(z) - 2 * third) / z

    def sin_s(z):
        r = mp.sqrt(z)
        return -third / 2 if z < tiny else (mp.sin(r) - r) / (r * z)

    def cos_c(z):
        return mp.mpf(1) / 24 if z < tiny else (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2

    def tanh_p(z):
        x = mp.sqrt(z)
        return -third if z < tiny else (mp.tanh(x) - x) / (x * z)

    def erf_p(z):
        x = mp.sqrt(z)
        return 2 / mp.sqrt(mp.pi) - 1 if z < tiny else mp.erf(x) / x - 1

    def erf_q(u):
        return -mp.log(mp.erfc(u + 1))

    def erf_q_weight(u):
        return mp.erfc(u + 1) / mp.erf(u + 1)

    print('// Coefficients of the portable polynomials, lowest power first. Written by fit.py beside this file; changing\n'
          '// one changes the bits of every result. Tested by tests/unit/compute/math_test.cc.\n#pragma once\n\n'
          '#include <cstdint>\n\n'
          'namespace modnet::coefficients {\n')
    r = mp.log(2) / 2 * mp.mpf('1.0005')
    z = (mp.sqrt(2) - 1) ** 2 / (mp.sqrt(2) + 1) ** 2 * mp.mpf('1.001')
    q = (mp.pi / 4) ** 2 * mp.mpf('1.001')
    x = mp.mpf('0.625') ** 2
    for kind, n, degrees in (('float', 'F32', (4, 2, 3, 2, 4, 6, 7)), ('double', 'F64', (9, 6, 5, 5, 10, 11, 18))):
        show('kExp' + n, kind, remez(exp_q, lambda t: t**2 / mp.exp(t), -r, r, degrees[0]),
             'exp(r) = 1 + r + r^2 p(r), |r| <= ln 2 / 2')
        show('kLog' + n, kind, remez(log_t, lambda t: t / 2, 0, z, degrees[1]),
             '2 atanh(s) = 2 s + s^3 p(s^2), |s| <= 3 - sqrt 8')
        trig = 'kSin' + n, 'kCos' + n
        show(trig[0], 'double', remez(sin_s, lambda t: t + tiny, 0, q, degrees[2]),
             'sin(r) = r + r^3 p(r^2), |r| <= pi / 4')
        show(trig[1], 'double', remez(cos_c, lambda t: t**2, 0, q, degrees[3]),
             'cos(r) = 1 - r^2 / 2 + r^4 p(r^2), |r| <= pi / 4')
        show('kTanh' + n, kind, remez(tanh_p, lambda t: t + tiny, 0, x, degrees[4]),
             'tanh(x) = x + x^3 p(x^2), |x| < 0.625')
        show('kErf' + n, kind, remez(erf_p, lambda t: mp.mpf(1), 0, 1, degrees[5]), 'erf(x) = x + x p(x^2), |x| < 1')
        show('kErfc' + n, kind, remez(erf_q, erf_q_weight, 0, 3 if kind == 'float' else 5, degrees[6]),
             f'erfc(x) = exp(-p(x - 1)), 1 <= x <= {4 if kind == "float" else 6}')
    show('kPowF64', 'double', remez(log_u, lambda t: t**2 / 2, 0, z, 6),
         '2 atanh(s) = 2 s + 2/3 s^3 + s^5 p(s^2), |s| <= 3 - sqrt 8')

    print('\n/// ln 2 in parts: the head has so few bits that n * head is exact for every exponent n.')
    a = constant('kLn2HeadF32', head(mp.log(2), 14), 'float')
    constant('kLn2TailF32', mp.log(2) - a, 'float')
    a = constant('kLn2HeadF64', head(mp.log(2), 40))
    b = constant('kLn2TailF64', mp.log(2) - a)
    constant('kLn2RestF64', mp.log(2) - a - b)
    constant('kLog2eF32', 1 / mp.log(2), 'float')
    constant('kLog2eF64', 1 / mp.log(2))
    print('/// 2/3 and 1/sqrt(2), head and rest.')
    a = constant('kTwoThirdsHead', 2 * third)
    constant('kTwoThirdsTail', 2 * third - a)
    constant('kSqrtHalfF32', mp.sqrt(mp.mpf(1) / 2), 'float')
    constant('kSqrtHalfF64', mp.sqrt(mp.mpf(1) / 2))
    constant('kSqrtTwoOverPiF32', mp.sqrt(2 / mp.pi), 'float')
    constant('kSqrtTwoOverPiF64', mp.sqrt(2 / mp.pi))
    print('/// pi / 2: two parts of 30 bits, so that n * part is exact for |n| < 2^23, and the rest in two doubles.')
    half = mp.pi / 2
    a = constant('kHalfPiA', head(half, 30))
    b = constant('kHalfPiB', head(half - a, 30))
    c = constant('kHalfPiC', half - a - b)
    constant('kHalfPiD', half - a - b - c)
    print('/// pi / 2 in two doubles.')
    a = constant('kHalfPiHead', half)
    constant('kHalfPiTail', half - a)
    constant('kTwoOverPi', 2 / mp.pi)
    print('/// The bits of 2 / pi behind the binary point, 64 a word, first word first.')
    mp.mp.prec = 1600
    bits = int(mp.floor(2 / mp.pi * mp.mpf(2) ** 1280))
    words = [(bits >> (1280 - 64 * (i + 1))) & (2**64 - 1) for i in range(20)]
    print('inline constexpr uint64_t kTwoOverPiBits[20] = {')
    for i in range(0, 20, 4):
        print('    ' + ', '.join(f'0x{w:016x}u' for w in words[i:i + 4]) + ',')
    print('};')
    print('\n}  // namespace modnet::coefficients')


if __name__ == '__main__':
    main()
