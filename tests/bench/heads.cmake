# ninja bench_heads: the time of a logistic path and of single fits beside scikit-learn's, in the same run.
add_custom_target(bench_heads COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/heads.py $<TARGET_FILE:train_tool>
                  DEPENDS train_tool USES_TERMINAL)
