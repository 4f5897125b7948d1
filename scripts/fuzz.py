"""Damaged files of every kind that roadex reads: each is read, or refused in one line.

    python scripts/fuzz.py [count=100000] [seed=0] [only=SUFFIX] [keep=DIR]

File number N is the same on every machine: a sound file of a kind, with bytes turned, cut out,
doubled or filled, or with values of its text replaced. Any outcome but a result or an error of
roadex's own is a finding: it is printed with its number, and the file is kept in `keep`. Exit code
1 if there was one.
"""

from __future__ import annotations

import json
import logging
import random
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import networkx as nx
import numpy as np
import torch

from roadex.command.config_files import check_configuration_files
from roadex.config.schemas import register_schemas
from roadex.errors import RoadexError
from roadex.graph.formats import read_networks, write_network
from roadex.graph.network import add_road, straight_network
from roadex.rasters.masks import MaskRules, read_mask
from roadex.rasters.rasters import read_raster
from roadex.runs.checkpoint import Checkpoint, read_checkpoint, save_checkpoint

SECONDS = 20
NUMBERS = [b"1e309", b"-1", b"0", b"NaN", b"1e9", b"null", b'""', b"[]", b"{}", b"999999999999"]
Reader = Callable[[Path], Any]


def town(crs: str | None) -> nx.MultiGraph:
    """A small network with a ring and an attribute, in a system or in the image frame."""
    corner = (500_000.0, 4_000_000.0) if crs else (50.0, 50.0)
    places = [(corner[0] + 90 * x, corner[1] + 90 * y) for x in range(3) for y in range(3)]
    edges = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5), (6, 7), (7, 8), (5, 8)]
    graph = straight_network(places, edges, crs)
    turns = np.linspace(0, 2 * np.pi, 13)
    ring = np.array(places[8]) + 30 * (np.column_stack([np.cos(turns), np.sin(turns)]) - (1, 0))
    ring[-1] = ring[0]
    add_road(graph, 8, 8, ring, highway="residential")
    return graph


def write_samples(folder: Path) -> dict[Path, Reader]:
    """A sound file of every kind, and what reads it."""
    found: dict[Path, Reader] = {}
    for suffix in ("geojson", "json", "gpkg", "graphml", "csv", "graph", "p"):
        path = folder / f"roads.{suffix}"
        in_pixels = suffix in ("csv", "graph", "p")
        write_network(town(None if in_pixels else "EPSG:32611"), path, gsd=1.0)
        found[path] = read_networks
    mask = np.zeros((60, 80), np.uint8)
    mask[20:28] = 255
    for suffix in ("png", "tif", "bmp", "webp"):
        path = folder / f"mask.{suffix}"
        cv2.imwrite(str(path), mask)
        found[path] = lambda file: read_mask(file, MaskRules())
    image = folder / "image.tif"
    cv2.imwrite(str(image), np.dstack([mask] * 3))
    found[image] = lambda file: read_raster(file, located=False)
    found[_checkpoint(folder / "best.pt")] = read_checkpoint
    config = folder / "config.yaml"
    config.write_text("seed: 1\nmodel:\n  stacks: 2\n  name: unet\nsplits: [1, 2, {a: b}]\n")
    found[config] = lambda file: check_configuration_files(str(file.parent), file.stem, None)
    return found


def _checkpoint(path: Path) -> Path:
    from hydra import compose, initialize_config_dir

    from roadex.command.frame import typed
    from roadex.config.paths import config_dir
    from roadex.models.registry import build_model

    register_schemas()
    settings = ["model.width=8", "model.blocks=1", "model.head_width=4", "model.depth=1"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = typed(compose("train", settings))
    weights = build_model(config.model, config.backbone).state_dict()
    save_checkpoint(path, Checkpoint(weights, config, 0.5, [0.4] * 3, [0.2] * 3, 1, {"f1": 0.5}))
    return path


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The bytes of a file with one to four things wrong."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(MUTATIONS)(content, rng) or b"\0"
    return content


def _turn(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def _cut(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.choice((1, 7, 100, 10**9)) :]


def _double(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    part = content[start : start + rng.choice((1, 8, 60))]
    return content[:start] + part * rng.choice((2, 3, 400)) + content[start:]


def _fill(content: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(content)), rng.choice((1, 4, 16))
    return content[:start] + bytes([rng.choice((0, 255, 46))]) * length + content[start + length :]


def _replace(content: bytes, rng: random.Random) -> bytes:
    """A number or word of a text by another."""
    words = content.replace(b",", b" ").replace(b":", b" ").split()
    word = rng.choice(words) if words else b"0"
    places = content.count(word)
    if not places:
        return content
    parts = content.split(word)
    at = rng.randrange(1, len(parts))
    return word.join(parts[:at]) + rng.choice(NUMBERS) + word.join(parts[at:])


MUTATIONS = (_turn, _cut, _double, _fill, _replace)


def check(path: Path, reader: Reader) -> str | None:
    """What went wrong with a file, None if it was read or refused."""
    signal.alarm(SECONDS)
    try:
        reader(path)
    except RoadexError as error:
        return None if str(error).strip() and "\n" not in str(error) else f"not one line: {error!r}"
    except Exception:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return None


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"read for more than {SECONDS} s")


def main() -> int:
    """Run the command line that the module's text describes."""
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    count, seed = int(options.get("count", 100_000)), int(options.get("seed", 0))
    signal.signal(signal.SIGALRM, _too_long)
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    done: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        samples = write_samples(Path(name))
        only = options.get("only", "")
        sound = [(path, path.read_bytes()) for path in samples if path.name.endswith(only)]
        work = Path(name) / "work"
        for number in range(count):
            rng = random.Random(f"{seed} {number}")
            path, content = sound[number % len(sound)]
            work.mkdir(exist_ok=True)
            damaged = work / path.name
            damaged.write_bytes(mutated(content, rng))
            problem = check(damaged, samples[path])
            done[path.name] += 1
            if problem is not None:
                last = problem.strip().splitlines()[-1]
                findings[f"{path.name}: {last[:120]}"] += 1
                print(f"{number} {path.name}: {last}", flush=True)
                _keep(options.get("keep"), number, damaged, problem)
    print(json.dumps({"files": dict(done), "findings": dict(findings)}, indent=1))
    return 1 if findings else 0


def _keep(folder: str | None, number: int, file: Path, problem: str) -> None:
    if folder is not None:
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{number}-{file.name}").write_bytes(file.read_bytes())
        (target / f"{number}-{file.name}.txt").write_text(problem)


if __name__ == "__main__":
    sys.exit(main())
