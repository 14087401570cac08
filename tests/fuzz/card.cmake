modnet_fuzz(card SOURCES card_fuzz.cc LIBS module)
