"""Pictures and pages: overlays, curves, kept tiles, the map."""
