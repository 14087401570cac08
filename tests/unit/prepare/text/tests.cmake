modnet_test(unit_tokenizer unit SOURCES text/tokenizer_test.cc text/tokenizer_json_test.cc text/unicode_test.cc
            text/vocab_test.cc LIBS prepare)
