#!/usr/bin/env python3
"""What the tree promises about itself, checked on the sources (DESIGN section 11, STYLE 1 and 2).

Includes go one way only; each third-party library enters one folder; no source file is longer than 500 lines; the top
level holds only what it should; every source file and header says why it exists. `--self-test` plants one violation of
each rule in a copy of a tiny tree and fails unless each is found.

    check_tree.py ROOT
    check_tree.py --self-test
"""
import os
import re
import subprocess
import sys
import tempfile

# Each layer with the layers it may include.
ORDER = ["formats/base", "formats", "libmod/contract", "libmod/module", "libmod/graph", "libmod/compute"]
USES = {}
for position, layer in enumerate(ORDER):
    USES[layer] = ORDER[: position + 1]
USES["libmod/prepare"] = ORDER + ["libmod/prepare"]
USES["libmod/metrics"] = ORDER + ["libmod/metrics"]
USES["libmod/train"] = ORDER + ["libmod/prepare", "libmod/metrics", "libmod/train"]
USES["libmod/import"] = USES["libmod/train"] + ["libmod/import"]
USES["commands"] = USES["libmod/import"] + ["commands"]
USES["cli"] = USES["commands"] + ["cli"]
# Layers with their longest name first, so that formats/base is found before formats.
LAYERS = sorted(USES, key=len, reverse=True)

# Header → folders that may include it. Tests may include whatever they judge with.
LIBRARIES = {
    r"flatbuffers/": ["formats/module", "formats/arrow"],
    r"schema/module_generated": ["formats/module"],
    r"schema/stream_generated": ["formats/arrow"],
    r"zstd": ["formats/module", "formats/arrow", "formats/table"],
    r"CLI/": ["cli"],
    r"toml\+\+/": ["cli"],
    r"hwy/": ["libmod/compute/cpu"],
    r"openssl/": ["formats/base"],
    r"xxhash": ["formats/base"],
    r"zlib": ["formats/table"],
    r"utf8proc": ["libmod/prepare/text"],
    r"cblas|lapacke|f77blas|openblas": ["libmod/compute/vendor"],
    r"spng|jpeglib": ["formats/image"],
    r"simdjson": ["formats/base", "formats/table", "formats/text", "libmod/prepare/text"],
    r"doctest/": [],
    r"benchmark/": [],
}
TOP = {
    ".ci", ".clang-format", ".gitignore", "CMakeLists.txt", "LICENSE", "README.md", "cli", "commands", "examples",
    "formats", "libmod", "man", "schema", "tests",
}
SOURCE = (".cc", ".h", ".cu", ".py", ".sh", ".cmake")
MAX_LINES = 500
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def files_of(root):
    """What git would keep where there is a repository, all files elsewhere; relative paths."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-coz", "--exclude-standard"], capture_output=True)
    if listed.returncode == 0 and listed.stdout:
        names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
        return sorted(name for name in set(names) if os.path.isfile(os.path.join(root, name)))
    out = []
    for folder, names, here in os.walk(root):
        names[:] = [name for name in names if name != ".git"]
        out += [os.path.relpath(os.path.join(folder, name), root) for name in here]
    return sorted(out)


def layer_of(path):
    for layer in LAYERS:
        if path.startswith(layer + "/"):
            return layer
    return None


def check_includes(path, lines):
    layer = layer_of(path)
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        name = found.group(1) or found.group(2)
        target = layer_of(name)
        if layer and target and target not in USES[layer]:
            yield f"{path}:{number}: {layer} includes {name}, which stands to its right"
        if layer and name.startswith(("tests/", "examples/")):
            yield f"{path}:{number}: {layer} includes {name}"
        for pattern, folders in LIBRARIES.items() if not path.startswith("tests/") else []:
            if re.match(pattern, name) and not any(path.startswith(folder + "/") for folder in folders):
                yield f"{path}:{number}: {name} may only be included in {', '.join(folders) or 'tests'}"


def check(root):
    problems = []
    for path in files_of(root):
        top = path.split("/")[0]
        if top not in TOP:
            problems.append(f"{path}: the top level has no place for {top}")
        if not path.endswith(SOURCE):
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = file.read().split("\n")
        if len(lines) > MAX_LINES + 1:
            problems.append(f"{path}: {len(lines) - 1} lines; at most {MAX_LINES}")
        if path.endswith((".cc", ".h", ".cu")):
            problems += check_includes(path, lines)
        own_header = re.fullmatch(r'#include "[^"]*\b%s\.h"' % re.escape(os.path.basename(path)[:-3]), lines[0])
        if path.endswith((".cc", ".h", ".cu")) and not lines[0].startswith("//") and not own_header:
            problems.append(f"{path}:1: the first line does not say why the file exists")
        # Highway includes a *-inl.h once a target; it has a guard of its own.
        if path.endswith(".h") and not path.endswith("-inl.h") and "#pragma once" not in lines:
            problems.append(f"{path}: no #pragma once")
    return problems


def self_test():
    good = {
        "formats/base/a.h": "// A.\n#pragma once\n",
        "formats/base/a.cc": '#include "formats/base/a.h"\n',
        "formats/module/read.cc": '// Read.\n#include <zstd.h>\n#include "formats/base/a.h"\n',
        "libmod/metrics/m.cc": '// M.\n#include "libmod/compute/c.h"\n',
        "commands/c.cc": '// C.\n#include "libmod/train/t.h"\n',
        "cli/main.cc": '// Main.\n#include <CLI/App.hpp>\n#include "commands/c.h"\n',
        "README.md": "x\n",
    }
    planted = {  # path, text, words that the finding must hold
        "a rightward include": ("formats/base/b.cc", '// B.\n#include "formats/module/records.h"\n', "to its right"),
        "a sideways include": ("libmod/metrics/n.cc", '// N.\n#include "libmod/prepare/p.h"\n', "to its right"),
        "commands that know cli": ("commands/d.cc", '// D.\n#include "cli/help.h"\n', "to its right"),
        "a library outside its folder": ("commands/e.cc", "// E.\n#  include <CLI/App.hpp>\n", "may only be included"),
        "zstd outside formats": ("libmod/graph/z.cc", "// Z.\n#include <zstd.h>\n", "may only be included"),
        "tests included by a layer": ("libmod/graph/g.cc", '// G.\n#include "tests/support/skip.h"\n', "includes tests/"),
        "a file of 501 lines": ("libmod/graph/long.cc", "// L.\n" + "\n" * 500, "at most 500"),
        "a stray file": ("notes.txt", "x\n", "no place for"),
        "a file without a reason": ("libmod/graph/h.cc", "int x;\n", "why the file exists"),
        "a header without a guard": ("libmod/graph/i.h", "// I.\nint x();\n", "pragma once"),
    }

    def problems_with(extra):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**good, **extra}.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return check(root)

    failed = [f"a good tree has problems: {problem}" for problem in problems_with({})]
    for name, (path, text, words) in planted.items():
        found = problems_with({path: text})
        if len(found) != 1 or path.split("/")[0] not in found[0] or words not in found[0]:
            failed.append(f"{name}: expected one finding with '{words}', got {found}")
    print(f"{len(planted)} planted violations, {len(failed)} failures")
    return failed


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    problems = self_test() if sys.argv[1] == "--self-test" else check(sys.argv[1])
    for problem in problems:
        print(problem)
    if sys.argv[1] != "--self-test":
        print(f"{len(files_of(sys.argv[1]))} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
