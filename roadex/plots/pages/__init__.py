"""Templates, styles and scripts of the self-contained pages."""
