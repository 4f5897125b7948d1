"""Where things lie: coordinate systems, and the grids of rasters in them. Free of torch."""
