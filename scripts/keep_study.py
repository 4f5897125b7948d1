"""Copy the evidence of a run into a study's folder: settings, history, scores, curves, maps.

    python scripts/keep_study.py RUN experiments/NAME [hide=FOLDERS] [imagery=true] [columns=2]

Without imagery=true only the truth-against-prediction maps are kept, since the licence of real
tiles forbids copies. hide=FOLDER[,FOLDER] writes those folders as DIR in all copied text.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.files import write_text
from roadex.plots.curves import draw_curves
from roadex.rasters.pictures import read_image, write_image

TEXTS = ("config.yaml", "overrides.yaml", "environment.json", "history.csv", "metrics.json")


def main() -> None:
    """Run the command line that the module's text describes."""
    run, study = Path(sys.argv[1]), Path(sys.argv[2])
    options = dict(argument.split("=", 1) for argument in sys.argv[3:])
    for name in TEXTS:
        text = (run / name).read_text(encoding="utf-8")
        for folder in filter(None, options.get("hide", "").split(",")):
            text = text.replace(folder, "DIR")
        write_text(study / name, text)
    draw_curves(run / "history.csv", study / "curves.png")
    if options.get("imagery") == "true":
        _sheet(sorted((run / "overlays").glob("*.jpg"))[:2], study / "overlay.jpg", 1, 0.6)
    else:
        maps = sorted((run / "overlays" / "truth_vs_prediction").glob("*.png"))
        _sheet(maps, study / "truth_vs_prediction.png", int(options.get("columns", 2)), 0.6)


def _sheet(pictures: list[Path], path: Path, columns: int, scale: float) -> None:
    """Pictures of one size in a grid, scaled down."""
    cells = [_scaled(read_image(picture), scale) for picture in pictures]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    write_image(path, np.vstack(rows))


def _scaled(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    framed = cv2.copyMakeBorder(picture, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    small = cv2.resize(framed, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


if __name__ == "__main__":
    main()
