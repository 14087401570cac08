# Vector kernels beside their roofline and libmvec.
add_executable(bench_kernels_program kernels.cc)
target_link_libraries(bench_kernels_program PRIVATE modnet_compute ${CMAKE_DL_LIBS})
modnet_bench(kernels COMMAND $<TARGET_FILE:bench_kernels_program> DEPENDS bench_kernels_program)
