# 8-bit layers beside our f32 product and the VNNI peak, and MiniLM in 8 bits on real texts: distance, a head, speed.
add_executable(bench_int8_program int8_products.cc)
target_link_libraries(bench_int8_program PRIVATE modnet_compute)
modnet_bench(int8_products COMMAND $<TARGET_FILE:bench_int8_program> DEPENDS bench_int8_program)
modnet_bench_python(int8 int8.py $<TARGET_FILE:modnet> $<TARGET_FILE:train_tool>)
add_dependencies(bench_programs train_tool)
