// Replaced by the layer itself.
