"""What the judges of linear heads share: the data, the tool that trains, scikit-learn's objective."""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy
except ImportError:
    print("skipped: numpy is not installed")
    sys.exit(77)


def sections():
    """The real embeddings and labels: train x, y, test x, y; exits 77 where they are not there."""
    here = os.path.dirname(os.path.abspath(__file__))
    shared = os.environ.get("MODNET_SHARED") or os.path.join(here, "..", "..", "..", "shared")
    folder = os.path.join(shared, "data", "sections")
    if not os.path.isdir(folder):
        print("skipped: no real data in", folder)
        sys.exit(77)
    return [numpy.load(os.path.join(folder, name + ".npy")) for name in ("train_x", "train_y", "test_x", "test_y")]


class Tool:
    """Runs train_tool on arrays and gives its report, with weights [outputs, columns] as an array."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.TemporaryDirectory()

    def train(self, kind, x, y, outputs, strengths="default", threads=2, standardize="no"):
        x_path = os.path.join(self.folder.name, "x")
        y_path = os.path.join(self.folder.name, "y")
        x.astype("<f4").tofile(x_path)
        y.astype("<f8" if kind == "ridge" else "<i4").tofile(y_path)
        words = strengths if isinstance(strengths, str) else ",".join(repr(float(s)) for s in strengths)
        command = [self.program, kind, x_path, y_path, str(x.shape[1]), str(outputs), str(threads), standardize, words]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"train_tool ended with {done.returncode}")
        out = json.loads(done.stdout)
        out["weights"] = numpy.array(out["weights"]).reshape(outputs, x.shape[1])
        out["bias"] = numpy.array(out["bias"])
        return out


def logistic_objective(x, y, weights, bias, c):
    """C * sum of log losses + half the squared weights, in f64."""
    z = x.astype(numpy.float64) @ weights.T + bias
    z -= z.max(axis=1, keepdims=True)
    losses = numpy.log(numpy.exp(z).sum(axis=1)) - z[numpy.arange(len(y)), y]
    return c * losses.sum() + 0.5 * (weights**2).sum()
