# A matrix of 100 × 100 modules; beside it, tensor shapes of 100 × 100 safetensors files compared in Python.
modnet_bench_python(check check.py $<TARGET_FILE:modnet> ${PROJECT_SOURCE_DIR}/tests/support/make_tiny_model.py)
