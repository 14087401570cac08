# modnet_python_test(NAME label SCRIPT arg…): a ctest entry that runs a Python script with MODNET_PYTHON.
# A script exits 77 when what it needs (pyarrow, the reference cases) is not there: reported as skipped, never as passed.
# MODNET_SHARED (the folder with the reference cases) is handed through where it is set at configure time.
find_program(MODNET_PYTHON_DEFAULT NAMES python3)
set(MODNET_PYTHON "${MODNET_PYTHON_DEFAULT}" CACHE FILEPATH "Python for tests (a virtual environment with pyarrow, …)")
mark_as_advanced(MODNET_PYTHON_DEFAULT)

function(modnet_python_test name label script)
  get_filename_component(script ${script} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  if(MODNET_PYTHON)
    add_test(NAME ${label}.${name} COMMAND ${MODNET_PYTHON} -B ${script} ${ARGN})
  else()
    add_test(NAME ${label}.${name} COMMAND sh -c "echo 'skipped: no python3 found'; exit 77")
  endif()
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77 TIMEOUT 1200)
  if(DEFINED ENV{MODNET_SHARED})
    set_tests_properties(${label}.${name} PROPERTIES ENVIRONMENT "MODNET_SHARED=$ENV{MODNET_SHARED}")
  endif()
endfunction()
