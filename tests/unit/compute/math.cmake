modnet_test(unit_compute_math unit SOURCES math_test.cc elementwise_test.cc LIBS compute)
modnet_test(unit_compute_rows unit SOURCES rows_test.cc pool_test.cc random_test.cc LIBS compute)
modnet_test(unit_compute_attention unit SOURCES attention_test.cc LIBS compute)
