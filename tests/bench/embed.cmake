# Embeddings beside onnxruntime and, where it is installed, sentence-transformers: throughput, single texts, growth.
add_executable(bench_peak_program peak.cc)
target_link_libraries(bench_peak_program PRIVATE modnet_flags)
foreach(part IN ITEMS f32 int8 latency growth)
  modnet_bench(embed_${part} COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/embed.py $<TARGET_FILE:modnet> $<TARGET_FILE:bench_peak_program>
               ${part} DEPENDS modnet bench_peak_program)
endforeach()
