# Imported models against the outputs of transformers and sentence-transformers.
modnet_test(parity_import parity SOURCES import_test.cc LIBS import LINKS nlohmann_json::nlohmann_json)
modnet_test(parity_minilm parity SOURCES minilm_test.cc LIBS import)
