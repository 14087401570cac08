# Arrow files and pipes of features and of tokens, read and written, beside pyarrow and beside what memory gives.
add_executable(bench_arrow_program arrow.cc)
target_link_libraries(bench_arrow_program PRIVATE modnet_formats)
modnet_bench(arrow COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/arrow.py $<TARGET_FILE:bench_arrow_program>
             DEPENDS bench_arrow_program)
