add_executable(bench_matmul_program matmul.cc)
target_link_libraries(bench_matmul_program PRIVATE modnet_compute)
modnet_bench(matmul COMMAND $<TARGET_FILE:bench_matmul_program> DEPENDS bench_matmul_program)
