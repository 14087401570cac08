modnet_fuzz(arrow SOURCES ${CMAKE_CURRENT_LIST_DIR}/arrow_fuzz.cc LIBS formats)
