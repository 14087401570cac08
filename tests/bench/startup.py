#!/usr/bin/env python3
"""What commands cost that only look: `--version`, `inspect` of a 90 MB module, `check` of a pair. Wall clock, CPU and, where valgrind is
installed, instructions, which other work on the machine does not change.

usage: startup.py MODNET [ROUNDS]

Prints lines as tests/bench/run wants them. MODNET_MINILM names the model's folder. The clock is compared with /bin/true's in the same
rounds, so that the cost of starting any process is seen. Times are medians.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from common import minilm, report, run


def instructions(arguments):
    """Millions of instructions, the dynamic loader included; None without valgrind."""
    if not shutil.which("valgrind"):
        return None
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + arguments, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    return round(int(found.group(1)) / 1e6, 2) if found else None


def main():
    modnet, model = sys.argv[1], minilm()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    passed = True
    with tempfile.TemporaryDirectory(dir=".") as folder:
        run([modnet, "import", model, "-o", folder, "--name", "bench"])
        encoder, backbone = os.path.join(folder, "encoder.mnet"), os.path.join(folder, "backbone.mnet")
        subjects = {"--version": [modnet, "--version"], "inspect, 90 MB": [modnet, "inspect", backbone]}
        subjects["check, encoder against 90 MB"] = [modnet, "check", encoder, "--against", backbone]
        costs = {name: [] for name in subjects}
        nothing = []
        for _ in range(rounds):
            nothing.append(run(["/bin/true"]))
            for name, arguments in subjects.items():
                costs[name].append(run(arguments))
        for name, arguments in subjects.items():
            wall, cpu = (1e3 * statistics.median(cost[i] for cost in costs[name]) for i in (0, 1))
            floor = 1e3 * statistics.median(cost[0] for cost in nothing)
            passed &= report(f"{name}, ms", wall <= 5 and cpu <= 3, "<= 5, CPU <= 3", round(wall, 2), cpu_ms=round(cpu, 2),
                             true_ms=round(floor, 2), million_instructions=instructions(arguments))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
