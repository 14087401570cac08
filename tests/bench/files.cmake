# attach-head, extract and embed on a 90 MB model.
modnet_bench_python(files files.py $<TARGET_FILE:modnet>)
