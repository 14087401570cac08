modnet_test(unit_compute_products unit SOURCES matmul_test.cc linalg_test.cc vendor_test.cc int8_test.cc LIBS compute)
modnet_test(unit_compute_threads unit SOURCES threads_test.cc target_test.cc LIBS compute)
