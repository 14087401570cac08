# Arrow streams and files against pyarrow, both ways.
add_executable(parity_arrow_tool ${CMAKE_CURRENT_LIST_DIR}/arrow_tool.cc)
target_link_libraries(parity_arrow_tool PRIVATE modnet_formats)
set(MODNET_PYTHON python3 CACHE STRING "the Python that parity tests run with")
add_test(NAME parity.arrow COMMAND ${MODNET_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/arrow_parity.py
                                   $<TARGET_FILE:parity_arrow_tool>)
set_tests_properties(parity.arrow PROPERTIES LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 300)
