# Commands that only look, from a cold process.
modnet_bench_python(startup startup.py $<TARGET_FILE:modnet>)
