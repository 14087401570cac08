# The readers of foreign formats. Their corpora are made by make_reader_corpus.py.
modnet_fuzz(safetensors SOURCES safetensors_fuzz.cc LIBS formats)
modnet_fuzz(npy SOURCES npy_fuzz.cc LIBS formats)
modnet_fuzz(idx SOURCES idx_fuzz.cc LIBS formats)
modnet_fuzz(table SOURCES table_fuzz.cc LIBS formats)
