"""Schema of the command `predict`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from omegaconf import MISSING

from roadex.config.graph import SPURS_BY_WIDTH, DecodingSettings
from roadex.config.inference import InferenceConfig
from roadex.config.limits import bounded, choice
from roadex.config.trainer import Precision


@dataclass
class StacConfig:
    """The images of STAC items."""

    # Names of assets; null: visual, rgb or image, or the only GeoTIFF.
    assets: list[str] | None = None


@dataclass
class SlurmConfig:
    """The jobs of `cluster=slurm`, one worker each."""

    # Memory and time of a job, as SLURM and Dask write them.
    memory: str = "8GB"
    walltime: str = "04:00:00"
    # null: SLURM's own.
    partition: str | None = None
    account: str | None = None
    # One GPU for each job.
    gpu: bool = False
    # The network by which the workers reach this process, such as ib0; null: that of the host name.
    interface: str | None = None
    # Further options of sbatch, such as "--cpus-per-task=4".
    directives: list[str] = field(default_factory=list)
    # Where the jobs' own output goes; null: OUT/.slurm.
    logs: str | None = None
    # Minutes that the first job may wait in the queue.
    wait_min: float = bounded(60, above=0)


@dataclass
class PredictConfig:
    """`python -m roadex.predict`: images in, road networks out."""

    # A file, a folder of images, a pattern such as "tiles/*.tif", a text file that names images one
    # a line, an address (https://..., s3://..., /vsi...), STAC items (.json), or GDAL's description
    # of a web map service or of tiles (.xml).
    input: str = MISSING
    # One road network of all the images, which need a georeference, instead of one for each.
    mosaic: bool = False
    # Which image counts where they overlap: the first or last by name, or the newest file; or the
    # mean of all, each weighted by the distance to its edge (blended), before the network sees it.
    overlap: str = choice("first", "first", "last", "newest", "blended")
    # A file of polygons: only what lies in them is read.
    aoi: str | None = None
    # The system of a mosaic whose images lie in several; null: that of most of them.
    crs: str | None = None
    out: str = MISSING
    # null takes the weights that come with roadex (roadex/weights/real.md).
    checkpoint: str | None = None
    # Road where the probability reaches this; null takes the checkpoint's, chosen on validation.
    threshold: float | None = bounded(None, above=0, most=1)
    # Metres per pixel of images without a georeference; null takes those of the training.
    gsd: float | None = bounded(None, above=0)
    # The numbers of the bands, from 1: red, green and blue, then those that the training named
    # beside them; null: as in the training, or red, green and blue as the file says or their count.
    bands: list[int] | None = None
    stac: StacConfig = field(default_factory=StacConfig)
    # More than 8 bits become 8 by the values of the training's images (training, or the name of
    # one of its cities), or by the image's own (image).
    contrast: str = "training"
    # Which files are written; null: all of them (roadex/prediction/outputs.py).
    outputs: list[str] | None = None
    # Draw dual carriageways and clusters of junctions as one, by neatnet (the extra `tidy`).
    tidy: bool = False
    # The longest side of the overview, and of the image on the map page.
    overview_px: int = bounded(2048, least=64, most=16384)
    # Larger images are made into roads in blocks of this size, in pixels of the training; memory
    # grows with it.
    block_px: int = bounded(8192, least=1024, most=32768)
    # Where the work runs: none (this process), local (processes of this machine), slurm (jobs of
    # its queue), or the address of a Dask scheduler, tcp://HOST:PORT.
    cluster: str = "none"
    # How many processes or jobs to start, or how many workers of a scheduler to wait for.
    workers: int = bounded(1, least=1)
    slurm: SlurmConfig = field(default_factory=SlurmConfig)
    # Overwrite results that were made with other settings.
    overwrite: bool = False
    graph: DecodingSettings = field(default_factory=lambda: replace(SPURS_BY_WIDTH))
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    precision: Precision = Precision.fp32
