add_executable(bench_matmul matmul.cc)
target_link_libraries(bench_matmul PRIVATE modnet_compute)
