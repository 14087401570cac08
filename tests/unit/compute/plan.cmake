modnet_test(unit_compute_plan unit SOURCES plan_test.cc ops_test.cc linear_int8_test.cc LIBS import)
