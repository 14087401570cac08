# Two 90 MB modules that differ in one tensor; beside it, cmp of the same files, and their weights compared in Python.
modnet_bench_python(diff diff.py $<TARGET_FILE:modnet>)
