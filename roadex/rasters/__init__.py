"""Files of pixels: pictures, masks and georeferenced rasters, read by the same rules."""
