modnet_fuzz(asset_diff SOURCES asset_diff_fuzz.cc LIBS module)
