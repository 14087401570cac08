# ninja bench_files (MODNET_MINILM names the model's folder): attach-head, inspect and embed on a 90 MB model.
add_custom_target(bench_files COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/files.py $<TARGET_FILE:modnet> $ENV{MODNET_MINILM}
                  USES_TERMINAL)
