# The example with real backbones.
if(TARGET modnet)
  add_test(NAME parity.example_spaces COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/example_spaces.sh $<TARGET_FILE:modnet> ${PROJECT_SOURCE_DIR})
  set_tests_properties(parity.example_spaces PROPERTIES LABELS parity SKIP_RETURN_CODE 77 TIMEOUT 1200)
endif()
