"""Makes the seeds in corpus/arrow with pyarrow and modnet's own writer.

usage: make_arrow.py PATH_OF_parity_arrow_tool
"""
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "arrow")
os.makedirs(FOLDER, exist_ok=True)
TABLES = {
    "text": pa.table({"id": ["a", None, "größe"], "large": pa.array(["x", "", "y"], pa.large_string())}),
    "lists": pa.table({"tokens": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
                       "large": pa.array([[1.5], [], [2.5]], pa.large_list(pa.float64())),
                       "bools": pa.array([[True], [False, True], []], pa.list_(pa.bool_()))}),
    "fixed": pa.table({"e": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2)),
                       "t": pa.FixedShapeTensorArray.from_numpy_ndarray(
                           np.arange(12, dtype=np.uint8).reshape(3, 2, 2))}),
    "numbers": pa.table({kind: pa.array([1, None, 3], kind) for kind in ("int8", "uint16", "int64", "float32")} | {"flag": [True, None, False], "none": pa.nulls(3)}),
    "dictionary": pa.table({"label": pa.array(["a", "b", "a", None]).dictionary_encode()}),
}


def seal(source, target, form, level=0):
    subprocess.run([sys.argv[1], "copy", source, target, form, str(level), "2"], check=True, capture_output=True)


for name, table in TABLES.items():
    for form, maker in (("stream", pa.ipc.new_stream), ("file", pa.ipc.new_file)):
        with maker(os.path.join(FOLDER, f"{name}-{form}"), table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    source = os.path.join(FOLDER, f"{name}-stream")
    seal(source, os.path.join(FOLDER, f"{name}-sealed"), "stream")
    seal(source, os.path.join(FOLDER, f"{name}-sealed-file"), "file", 3)
with pa.ipc.new_stream(os.path.join(FOLDER, "zstd"), TABLES["lists"].schema,
                       options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
    writer.write_table(TABLES["lists"])
