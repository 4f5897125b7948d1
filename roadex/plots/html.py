"""Self-contained pages: templates into which everything they show is embedded."""

from __future__ import annotations

import base64
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike
from PIL import Image

from roadex.files import write_text
from roadex.plots.overlays import Picture

FOLDER = Path(__file__).parent / "pages"


def write_page(path: str | Path, template: str, **content: Any) -> None:
    """Write a page from a template of `pages/`; text in `content` is escaped.

    Raises:
        RoadexError: the page cannot be written.
    """
    write_text(path, _environment().get_template(template).render(source=_source, **content) + "\n")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> Markup:
    """The text of a script or style of `pages/`."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def script_data(content: Any) -> Markup:
    """JSON for a `<script type="application/json">`: no text in it can end the element."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def array_text(values: ArrayLike, kind: str) -> str:
    """Numbers as base64 of their little-endian bytes; `kind` is NumPy's, such as "f4"."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=f"<{kind}").tobytes()).decode()


def jpeg_uri(picture: Picture, longest: int | None = None, quality: int = 85) -> str:
    """An RGB picture (H, W, 3) as a data URI, its longer side at most `longest` pixels."""
    small = shrunk(picture, longest)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, code = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    return "data:image/jpeg;base64," + base64.b64encode(code.tobytes()).decode()


def drawing_uri(picture: Picture, longest: int | None = None, colours: int = 32) -> str:
    """As `jpeg_uri` for a drawing of few colours, which a PNG keeps smaller and sharper."""
    return png_uri(few_colours(Image.fromarray(shrunk(picture, longest)), colours))


def file_uri(path: Path) -> str:
    """A PNG file as a data URI."""
    return png_uri(path.read_bytes())


def png_uri(content: bytes) -> str:
    """The bytes of a PNG file as a data URI."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


def shrunk(picture: Picture, longest: int | None) -> Picture:
    """The picture (H, W[, 3]) averaged down until its longer side is at most `longest` pixels."""
    scale = 1.0 if longest is None else min(1.0, longest / max(picture.shape[:2]))
    if scale == 1.0:
        return np.ascontiguousarray(picture)
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def few_colours(drawing: Image.Image, colours: int) -> bytes:
    """A PNG file of a drawing in its most frequent colours, a third as large as with all."""
    file = io.BytesIO()
    drawing.convert("RGB").quantize(colours).save(file, format="PNG", optimize=True)
    return file.getvalue()
