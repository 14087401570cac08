# Linear heads against scikit-learn on real embeddings; skipped where scikit-learn or the data is missing.
add_executable(train_tool train_tool.cc)
target_link_libraries(train_tool PRIVATE modnet_train nlohmann_json::nlohmann_json)
modnet_python_test(logistic parity logistic.py $<TARGET_FILE:train_tool>)
