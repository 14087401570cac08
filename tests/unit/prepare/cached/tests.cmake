modnet_test(unit_cached unit SOURCES cached/cached_test.cc LIBS import)
