"""Logistic heads beside scikit-learn: medians of alternated runs on the same data and threads.

Usage: heads.py TRAIN_TOOL [ROUNDS]. Prints lines as tests/bench/run wants them. Thread counts follow OMP_NUM_THREADS, else 2.
"""
import json
import os
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
from heads_common import Tool, logistic_objective, sections  # noqa: E402

try:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit(77)

STRENGTHS = [1e-4, 1e-3, 1e-2, 0.1, 0.3, 1, 3, 10, 30, 100]


def sklearn_path(x, y):
    """The same strengths, warm-started, chosen by log loss on a stratified holdout of 15 %, refitted on all rows."""
    fit_x, held_x, fit_y, held_y = train_test_split(x, y, test_size=0.15, stratify=y, random_state=0)
    best, model = None, LogisticRegression(warm_start=True, max_iter=10000)
    for c in STRENGTHS:
        model.set_params(C=c).fit(fit_x, fit_y)
        loss = -model.predict_log_proba(held_x)[range(len(held_y)), held_y].mean()
        if best is None or loss < best[0]:
            best = (loss, c)
    return LogisticRegression(C=best[1], max_iter=10000).fit(x, y), best[1]


def main():
    tool = Tool(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    threads = int(os.environ["OMP_NUM_THREADS"])
    x, y, test_x, test_y = sections()
    classes = int(y.max()) + 1
    wide = x.astype("f8")
    missed = 0
    jobs = [("logistic path of 10 C, holdout, refit", STRENGTHS, 5, lambda: sklearn_path(wide, y))]
    for c in (1.0, 10.0):
        jobs.append((f"one logistic fit, C={c:g}", [c], 1, lambda c=c: (LogisticRegression(C=c, max_iter=10000).fit(wide, y), c)))
    for name, strengths, goal, judge in jobs:
        ours, theirs = [], []
        for _ in range(rounds):
            head = tool.train("logistic", x, y, classes, strengths, threads)
            ours.append(head["seconds"])
            start = time.perf_counter()
            model, c = judge()
            theirs.append(time.perf_counter() - start)
        mine, other = statistics.median(ours), statistics.median(theirs)
        objective = logistic_objective(x, y, head["weights"], head["bias"], head["strength"])
        judged = logistic_objective(x, y, model.coef_, model.intercept_, c)
        accuracy = ((test_x @ head["weights"].T + head["bias"]).argmax(axis=1) == test_y).mean()
        # Another C is another objective: the two are compared only where both chose the same.
        ok = other / mine >= goal and (head["strength"] != c or objective <= judged * (1 + 1e-6))
        missed += not ok
        print(json.dumps({"what": f"{name}, {len(x)} x {x.shape[1]} x {classes}, {threads} threads", "peer": "scikit-learn",
                          "ratio": round(other / mine, 3), "goal": f">= {goal}, objective <= its own (1 + 1e-6)", "ok": bool(ok),
                          "strengths": [head["strength"], c], "objectives": [objective, judged],
                          "test_accuracies": [accuracy, model.score(test_x, test_y)]}), flush=True)
    return 1 if missed else 0


sys.exit(main())
