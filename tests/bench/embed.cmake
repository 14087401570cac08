# Embeddings beside onnxruntime and, where it is installed, sentence-transformers.
add_executable(bench_peak_program peak.cc)
target_link_libraries(bench_peak_program PRIVATE modnet_flags)
modnet_bench(embed COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/embed.py $<TARGET_FILE:modnet> $<TARGET_FILE:bench_peak_program>
             DEPENDS modnet bench_peak_program)
