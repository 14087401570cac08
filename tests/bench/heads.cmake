# The time of a logistic path and of single fits beside scikit-learn's.
modnet_bench(heads COMMAND ${MODNET_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/heads.py $<TARGET_FILE:train_tool> DEPENDS train_tool)
