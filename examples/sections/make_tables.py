#!/usr/bin/env python3
"""Makes train.tsv and test.tsv from the package lists of this machine: a package's description and its archive section.

    apt-cache dumpavail | make_tables.py FOLDER [TRAIN [TEST]]

The 20 largest sections, each with its share of TRAIN and TEST rows (10,000 and 5,000). Which packages are taken, and which
go where, follows from a digest of their names: the same lists give the same bytes. Columns: id, section, text.
"""
import collections
import hashlib
import os
import sys

SECTIONS = 20


def records(lines):
    """(package, section, description) of every package in main; the first of each name and of each description."""
    fields, seen = {}, set()
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            name, section, text = (fields.get(key, "") for key in ("Package", "Section", "Description"))
            text = " ".join(text.split())
            if name and text and section and "/" not in section and not {name, "\t" + text} & seen:
                seen |= {name, "\t" + text}
                yield name, section, text
            fields = {}
        elif line[0] not in " \t" and ": " in line:
            key, value = line.split(": ", 1)
            fields["Description" if key.startswith("Description-") and key != "Description-md5" else key] = value


def main():
    if not 2 <= len(sys.argv) <= 4:
        print(__doc__, file=sys.stderr)
        return 2
    folder = sys.argv[1]
    wanted = {"train": int((sys.argv[2:3] or ["10000"])[0]), "test": int((sys.argv[3:4] or ["5000"])[0])}
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    by_section = collections.defaultdict(list)
    for name, section, text in records(list(sys.stdin) + ["\n"]):
        order = hashlib.sha256(("sections 1 " + name).encode()).hexdigest()
        by_section[section].append((order, name, section, text))
    largest = sorted(by_section, key=lambda section: (-len(by_section[section]), section))[:SECTIONS]
    total = sum(len(by_section[section]) for section in largest)
    if total < sum(wanted.values()):
        print(f"only {total} descriptions; {sum(wanted.values())} are wanted", file=sys.stderr)
        return 1
    out = {"train": [], "test": []}
    for section in largest:
        rows, at = sorted(by_section[section]), 0
        for part, count in wanted.items():
            share = count * len(rows) // total
            out[part] += rows[at:at + share]
            at += share
    for part, rows in out.items():
        with open(os.path.join(folder, part + ".tsv"), "w", encoding="utf-8") as file:
            file.write("id\tsection\ttext\n")
            for _, name, section, text in sorted(rows):
                file.write(f"{name}\t{section}\t{text}\n")
        print(f"{part}.tsv: {len(rows)} descriptions in {len(largest)} sections")
    return 0


if __name__ == "__main__":
    sys.exit(main())
