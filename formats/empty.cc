// Replaced by the layer's first real file.
