# Classification, probability and regression metrics against the values of scikit-learn in parity/metrics.
modnet_test(metrics parity SOURCES metrics_test.cc LIBS metrics LINKS nlohmann_json::nlohmann_json)
