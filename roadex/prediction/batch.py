"""Many images, each to its files; one that fails does not stop the others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from roadex import __version__
from roadex.config.predict import PredictConfig
from roadex.data.sources.base import stamp
from roadex.errors import RoadexError
from roadex.files import read_json, user_path, write_json
from roadex.graph.tidy import require_neatnet
from roadex.prediction.crew import Crew, crew_of
from roadex.prediction.inputs import check_folder, find_images, require_names
from roadex.prediction.mosaic import MosaicScene, mosaic_of
from roadex.prediction.network import RoadNetwork
from roadex.prediction.outputs import (
    SUMMARY,
    chosen_outputs,
    existing_outputs,
    fitting_outputs,
    write_outputs,
)
from roadex.prediction.pipeline import (
    LoadedModel,
    ReadingOptions,
    Scanned,
    classifier_of,
    load_model,
    network_of,
    scan_identity,
    scan_scene,
)
from roadex.prediction.scene import Scene, open_scene
from roadex.prediction.summary import one_line, with_speed
from roadex.rasters.remote import Remote, Source

Tell = Callable[[str], None]


def predict_all(config: PredictConfig, tell: Tell) -> tuple[list[str], int]:
    """Predict the images of `config`.

    Existing results of the same image and settings are kept.

    Returns:
        The names of the files that could not be used, and the number of images.

    Raises:
        RoadexError: no images, no checkpoint, or nowhere to write.
    """
    images = find_images(config.input, config.stac.assets)
    together = config.mosaic or config.aoi is not None
    if not together:
        require_names(config.input, images)
    out = user_path(config.out)
    outputs = chosen_outputs(config.outputs)
    if config.tidy:
        require_neatnet()
    model = load_model(config.checkpoint, config.device, config.inference, config.precision)
    classifier_of(model, config.graph)  # reported once, not for every image
    bands = model.bands_of(config.bands)
    if bands is not None and config.bands is None:
        tell(f"bands {bands} of each file, as in the training (bands= names others)")
    config = replace(config, bands=bands)
    check_folder(out, images)
    jobs = replace(config.slurm, logs=config.slurm.logs or str(out / ".slurm"))
    with crew_of(config.cluster, config.workers, tell, jobs) as crew:
        job = _Job(config, out, outputs, tell, crew)
        if together:
            return _predict_mosaic(job, images, model), len(images)
        return _predict_each(job, images, model), len(images)


def _predict_each(job: _Job, images: list[Source], model: LoadedModel) -> list[str]:
    """Predict images one by one; the names of those that could not be used.

    While the model is busy with an image, another thread draws the roads of the one before.
    """
    failures: list[str] = []

    def end(image: Source, rest: _Rest) -> None:
        try:
            complete = rest.work()
        except RoadexError as error:
            job.tell(f"failed: {error}")
            complete = False
        if not complete:
            failures.append(image.name)

    with ThreadPoolExecutor(1) as pool:
        pending: Future[None] | None = None
        for image in images:
            rest = _begun(job, image, model)
            if pending is not None:
                pending.result()
            pending = pool.submit(end, image, rest)
            if not rest.beside:
                pending.result()
        if pending is not None:
            pending.result()
    return failures


@dataclass(frozen=True)
class _Rest:
    """The remaining work on an image.

    Attributes:
        work: does it; returns whether all of the image could be used.
        beside: whether it may run while the next image is predicted.
    """

    work: Callable[[], bool]
    beside: bool = True


def _begun(job: _Job, image: Source, model: LoadedModel) -> _Rest:
    """The remaining work after the model has seen an image, which may be an error."""
    try:
        return job.begin(_of_file(image, job.config), model)
    except RoadexError as error:
        return _Rest(partial(_fail, error))


def _fail(error: RoadexError) -> bool:
    raise error


def _predict_mosaic(job: _Job, images: list[Source], model: LoadedModel) -> list[str]:
    """Predict all images as one; the names of those that could not be part of it."""
    config = job.config
    source = user_path(config.input)
    name = source.stem if source.is_file() or source.is_dir() else "mosaic"
    options: dict[str, Any] = {
        "bands": config.bands,
        "overlap": config.overlap,
        "crs": config.crs,
        "aoi": config.aoi,
    }
    scene = mosaic_of(images, name, **options)
    for line in scene.failures.values():
        job.tell(f"failed: {line}")
    before = set(scene.failures)
    identity = {"images": [_stamp(path) for path in images], **options}
    if config.aoi is not None:
        identity["area"] = _stamp(user_path(config.aoi))
    job.tell(f"{name}: {len(scene.places)} images, {scene.shape[1]}x{scene.shape[0]} px")
    complete = job.run(_Wanted(name, identity, lambda: nullcontext(scene)), model)
    for path in set(scene.failures) - before:
        job.tell(f"failed: {scene.failures[path]}")
    return [path.name for path in scene.failures] + ([] if complete else [name])


@dataclass(frozen=True)
class _Wanted:
    """The image or mosaic of a network.

    Attributes:
        stem: the stem of its files.
        identity: distinguishes it from others.
        open: its scene.
    """

    stem: str
    identity: dict[str, Any]
    open: Callable[[], AbstractContextManager[Scene]]


def _of_file(image: Source, config: PredictConfig) -> _Wanted:
    identity = {"image": _stamp(image), "bands": config.bands}
    return _Wanted(image.stem, identity, lambda: open_scene(image, config.bands))


@dataclass(frozen=True)
class _Job:
    """The work on each image."""

    config: PredictConfig
    out: Path
    outputs: list[str]
    tell: Tell
    crew: Crew

    def run(self, wanted: _Wanted, model: LoadedModel) -> bool:
        """Predict an image, unless that is done; returns whether all of it could be used."""
        return self.begin(wanted, model).work()

    def begin(self, wanted: _Wanted, model: LoadedModel) -> _Rest:
        """The part of `run` that needs the model."""
        stem, options = wanted.stem, self._options()
        work = self.out / f".{stem}.work"
        identity = {**wanted.identity, **scan_identity(model, options)}
        made_from = {**identity, **self._decoding(model), "outputs": self.outputs}
        if self._is_done(stem, work, json.loads(json.dumps(made_from))):
            self.tell(f"{stem}: done already")
            return _Rest(lambda: True)
        with wanted.open() as scene:
            known = _damaged(scene)
            scanned = scan_scene(scene, model, options, work, identity, self.tell, self.crew)
            is_whole = _damaged(scene) == known
        rest = partial(self._end, scanned, made_from if is_whole else None, model)
        return _Rest(rest, scanned.is_small and not self.crew.is_many)

    def _end(self, scanned: Scanned, made_from: dict[str, Any] | None, model: LoadedModel) -> bool:
        """Make the roads of an image and their files; returns whether all of it could be used.

        Args:
            made_from: written beside them; None if a part is missing, so that the same command
                does it again.
        """
        found = network_of(scanned, model, self._options(), self.tell, self.crew)
        started = time.perf_counter()
        write_outputs(found, self.out, self._outputs_of(found))
        stem = scanned.view.scene.name
        summary = _with_files(found, time.perf_counter() - started)
        self.tell(f"{stem}: {one_line(summary)}")
        for line in self.crew.report(summary["area_km2"]):
            self.tell(f"{stem}: {line}")
        facts: dict[str, Any] = {"checkpoint": model.source, "notes": list(found.notes)}
        facts["made_from"] = None if found.failures else made_from
        facts["files"] = [path.name for path in existing_outputs(self.out, stem)]
        write_json(self.out / f"{stem}{SUMMARY}", {**summary, "roadex": __version__, **facts})
        for block, reason in found.failures.items():
            self.tell(f"failed: {stem}: {block}: {reason}; start the command again for the rest")
        if not found.failures:
            found.store.remove()
        return not found.failures

    def _outputs_of(self, found: RoadNetwork) -> list[str]:
        """Which files of a network are written."""
        if self.config.outputs is not None:
            return self.outputs
        names = fitting_outputs(self.outputs, found.roads)
        left_out = [name for name in self.outputs if name not in names]
        if left_out:
            self.tell(
                f"{found.view.scene.name}: a large network, so {', '.join(left_out)} are left out "
                "(outputs= writes them)"
            )
        return names

    def _options(self) -> ReadingOptions:
        config = self.config
        return ReadingOptions(
            config.gsd,
            config.contrast,
            config.threshold,
            config.graph,
            config.overview_px,
            config.block_px,
            config.tidy,
        )

    def _decoding(self, model: LoadedModel) -> dict[str, Any]:
        """The settings of the files besides those of the probabilities."""
        threshold = self.config.threshold
        return {
            "threshold": model.threshold if threshold is None else threshold,
            "graph": asdict(self.config.graph),
            "overview_px": self.config.overview_px,
            "block_px": self.config.block_px,
            **({"tidy": True} if self.config.tidy else {}),
        }

    def _is_done(self, stem: str, work: Path, made_from: dict[str, Any]) -> bool:
        """Whether the files of an image are there.

        Raises:
            RoadexError: they have other settings or are not roadex's, and may not be overwritten.
        """
        there = existing_outputs(self.out, stem)
        summary = self.out / f"{stem}{SUMMARY}"
        summary_there = (read_json(summary) or {}) if summary in there else {}
        if summary_there.get("made_from") == made_from:
            gone = [
                name for name in summary_there.get("files", []) if not (self.out / name).exists()
            ]
            if gone:
                self.tell(f"{stem}: {', '.join(gone)} is missing: all files are written again")
            return not gone
        unfinished = summary_there.get("made_from", made_from) is None
        if there and not work.is_dir() and not unfinished and not self.config.overwrite:
            raise RoadexError(
                f"{there[0]}: is there already, of another image or other settings; choose another "
                "out= or set overwrite=true"
            )
        summary.unlink(missing_ok=True)
        return False


def _damaged(scene: Scene) -> set[Source]:
    """The images of a mosaic that turned out to be damaged."""
    return set(scene.failures) if isinstance(scene, MosaicScene) else set()


def _stamp(image: Source) -> list[Any]:
    """An identifier of an image's content; for a remote one only its address."""
    if isinstance(image, Remote):
        return [str(image), image.key]
    try:
        return [str(image.resolve()), *stamp(image)]
    except OSError as error:
        raise RoadexError(f"{image}: cannot be read ({error.strerror})") from error


def _with_files(network: RoadNetwork, seconds: float) -> dict[str, Any]:
    """The summary with the time of writing the files."""
    return with_speed(network.summary, {**network.summary["seconds_of"], "files": seconds})
