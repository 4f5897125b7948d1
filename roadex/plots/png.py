"""PNG files of drawings."""

from __future__ import annotations

import io

from PIL import Image


def few_colours(drawing: Image.Image, colours: int) -> bytes:
    """A PNG file of a drawing in its commonest colours, a third as large as in all."""
    file = io.BytesIO()
    drawing.convert("RGB").quantize(colours).save(file, format="PNG", optimize=True)
    return file.getvalue()
