"""Linear heads against scikit-learn on real embeddings (384 columns, 20 classes). Usage: logistic.py TRAIN_TOOL

Nothing is timed here: tests/bench/heads.py compares speeds.
"""
import sys

from heads_common import Tool, logistic_objective, numpy, sections

try:
    from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
except ImportError:
    print("skipped: scikit-learn is not installed")
    sys.exit(77)

failures = []


def check(name, ok, detail):
    print("ok  " if ok else "FAIL", name, detail)
    if not ok:
        failures.append(name)


def main():
    tool = Tool(sys.argv[1])
    x, y, test_x, test_y = sections()
    classes = int(y.max()) + 1

    # The same objective at the same C, never worse than scikit-learn's optimum by more than a millionth.
    part_x, part_y = x[:4000], y[:4000]
    for c, rows_x, rows_y in ((0.01, part_x, part_y), (1.0, x, y), (10.0, part_x, part_y), (100.0, part_x, part_y)):
        ours = tool.train("logistic", rows_x, rows_y, classes, [c])
        mine = logistic_objective(rows_x, rows_y, ours["weights"], ours["bias"], c)
        judge = LogisticRegression(C=c, max_iter=10000).fit(rows_x.astype(numpy.float64), rows_y)
        theirs = logistic_objective(rows_x, rows_y, judge.coef_, judge.intercept_, c)
        check(f"objective at C={c}", mine <= theirs * (1 + 1e-6), f"ours {mine:.8f} scikit-learn {theirs:.8f}")
        check(f"reported objective at C={c}", abs(mine - ours["objective"]) <= 1e-9 * mine, f"{ours['objective']:.8f}")
        check(f"converged at C={c}", ours["converged"], f"{ours['iterations']} passes")

    # Strength chosen on a holdout of the training data; the head's bytes do not depend on threads.
    ours = tool.train("logistic", x, y, classes, threads=2)
    accuracy = ((test_x @ ours["weights"].T + ours["bias"]).argmax(axis=1) == test_y).mean()
    check("strengths tried", len(ours["path"]) >= 10, len(ours["path"]))
    check("test accuracy, strength by holdout", accuracy >= 0.757, f"{accuracy:.4f} with C={ours['strength']}")
    one, two = (tool.train("logistic", part_x, part_y, classes, [1, 10], threads=t) for t in (1, 2))
    check("same bits on 1 and 2 threads", one["weights"].tobytes() == two["weights"].tobytes()
          and one["bias"].tobytes() == two["bias"].tobytes(), "")

    # Ridge: the coefficients themselves.
    rng = numpy.random.default_rng(0)
    targets = x[:3000] @ rng.standard_normal((384, 2)) + 0.1 * rng.standard_normal((3000, 2))
    for alpha in (0.01, 1.0, 100.0):
        ours = tool.train("ridge", x[:3000], targets, 2, [alpha])
        judge = Ridge(alpha=alpha, solver="cholesky").fit(x[:3000].astype(numpy.float64), targets)
        off = numpy.abs(ours["weights"] - judge.coef_).max() / numpy.abs(judge.coef_).max()
        check(f"ridge coefficients at alpha={alpha}", off <= 1e-8, f"relative difference {off:.2e}")
        check(f"ridge bias at alpha={alpha}", numpy.abs(ours["bias"] - judge.intercept_).max() <= 1e-8, "")
    ours = tool.train("ridge_classifier", x, y, classes, [0.3])
    judge = RidgeClassifier(alpha=0.3, solver="cholesky").fit(x.astype(numpy.float64), y)
    off = numpy.abs(ours["weights"] - judge.coef_).max() / numpy.abs(judge.coef_).max()
    check("ridge classifier coefficients", off <= 1e-8, f"relative difference {off:.2e}")
    ours = tool.train("ridge_classifier", x, y, classes)
    accuracy = ((test_x @ ours["weights"].T + ours["bias"]).argmax(axis=1) == test_y).mean()
    check("ridge classifier test accuracy", accuracy >= 0.75, f"{accuracy:.4f} with alpha={ours['strength']}")

    # Standardised features of very different sizes, one of them constant: the standardised optimum, folded back.
    scaled = x[:2000, :32] * (10.0 ** numpy.linspace(-2, 3, 32)) + 5
    scaled[:, 7] = 1
    scaled = scaled.astype(numpy.float32)
    ours = tool.train("logistic", scaled, y[:2000], classes, [1.0], standardize="auto")
    wide = scaled.astype(numpy.float64)
    mean, spread = wide.mean(axis=0), wide.std(axis=0)
    kept = spread > 0
    z = (wide[:, kept] - mean[kept]) / spread[kept]
    judge = LogisticRegression(C=1.0, max_iter=100000, tol=1e-9).fit(z, y[:2000])
    theirs = logistic_objective(z, y[:2000], judge.coef_, judge.intercept_, 1.0)
    check("standardised objective", ours["objective"] <= theirs * (1 + 1e-6), f"{ours['objective']:.8f} {theirs:.8f}")
    check("dropped column is named", ours["dropped"] == [7] and ours["standardized"], ours["dropped"])
    raw = wide @ ours["weights"].T + ours["bias"]
    agree = (raw.argmax(axis=1) == judge.predict(z)).mean()
    check("folded weights predict as the standardised model", agree >= 0.999, f"{agree:.4f}")

    print(f"{len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
