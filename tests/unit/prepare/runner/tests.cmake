modnet_test(unit_runner unit SOURCES runner/runner_test.cc runner/probes_test.cc runner/evidence_test.cc runner/quantise_test.cc LIBS import)
