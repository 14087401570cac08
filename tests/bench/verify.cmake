# Digests of a 90 MB module beside openssl.
modnet_bench_python(verify verify.py $<TARGET_FILE:modnet>)
