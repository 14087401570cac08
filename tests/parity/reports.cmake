# Reports against independent readers of their formats: jsonschema with our schema and with OASIS's for SARIF, junitparser.
add_executable(report_tool report_tool.cc)
target_link_libraries(report_tool PRIVATE modnet_contract)
modnet_python_test(reports parity reports.py $<TARGET_FILE:report_tool> ${PROJECT_SOURCE_DIR}/tests/schemas/check.schema.json)
