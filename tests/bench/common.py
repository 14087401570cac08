"""What benchmark programs share: running a command with its costs, and the lines that tests/bench/run wants."""
import json
import os
import subprocess
import sys
import time


def run(arguments, **options):
    """Runs a command to its end; returns (seconds, CPU seconds, peak KiB)."""
    begin = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"failed: {' '.join(arguments)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def report(what, passed, goal, ratio=None, peer="-", **figures):
    print(json.dumps({"what": what, "peer": peer, "ratio": ratio, "goal": goal, "ok": passed, **figures}), flush=True)
    return passed


def skip(why):
    """Ends the program as skipped."""
    print("skipped:", why)
    sys.exit(77)


def minilm():
    """The folder of the 90 MB model; skips where MODNET_MINILM names none."""
    return os.environ.get("MODNET_MINILM") or skip("MODNET_MINILM names no model")
