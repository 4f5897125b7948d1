"""roadex: road networks from satellite images."""

__version__ = "0.1.0"
