# Arrow streams and files against pyarrow, both ways.
add_executable(parity_arrow_tool ${CMAKE_CURRENT_LIST_DIR}/arrow_tool.cc)
target_link_libraries(parity_arrow_tool PRIVATE modnet_formats)
modnet_python_test(arrow parity ${CMAKE_CURRENT_LIST_DIR}/arrow_parity.py $<TARGET_FILE:parity_arrow_tool>)
