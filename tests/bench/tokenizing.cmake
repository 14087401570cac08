# Tokenizers beside the Rust library.
add_executable(bench_tokenizing_program tokenizing.cc)
target_link_libraries(bench_tokenizing_program PRIVATE modnet_prepare)
modnet_bench(tokenizing COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/tokenizing.py $<TARGET_FILE:bench_tokenizing_program>
             DEPENDS bench_tokenizing_program)
