modnet_fuzz(tokenizer SOURCES tokenizer_fuzz.cc LIBS prepare)
