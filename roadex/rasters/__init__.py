"""Files of pixels: pictures, masks and georeferenced rasters, read by one set of rules."""
