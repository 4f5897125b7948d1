"""The cost of the training loop compared with the model's own work, and of each backbone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir

from roadex.benchmarks._settings import parse_settings
from roadex.benchmarks._steps import Bench, open_bench
from roadex.command.frame import typed
from roadex.command.refusal import CONFIG_ERRORS, refusal
from roadex.config.backbone import BackboneConfig, PaperBackboneConfig, TimmBackboneConfig
from roadex.config.limits import bounded
from roadex.config.paths import config_dir
from roadex.config.train import TrainConfig
from roadex.config.trainer import Precision, TrainerConfig
from roadex.errors import RoadexError

TIMM = ("resnet18", "resnet50", "mobilenetv3_large_100", "convnext_tiny")
GIGA, MEGA, MIB = 1e9, 1e6, 2**20


@dataclass
class Settings:
    """The benchmark's own settings."""

    steps: int = bounded(4, least=1)
    # Times that the loop and the bare calls take turns; the best of each counts.
    repeats: int = bounded(3, least=1)
    # A table of the backbones at these sizes.
    backbones: bool = False
    sizes: list[int] = field(default_factory=lambda: [256, 512])
    # What the head that classifies pairs (model.paths) adds to a step.
    pairs: bool = False
    # A table of number formats and compilation, on a GPU with the largest batch that fits, too.
    variants: bool = False
    # The device's peak, for the share of it that is reached; 0 leaves it out.
    peak_tflops: float = bounded(0.0, least=0)


def main(overrides: list[str]) -> None:
    """The loop's step against a bare one; all other settings are those of roadex.train.

    Settings: steps=4, repeats=3, backbones=false, sizes=[256,512], pairs=false, variants=false,
    peak_tflops=0.
    """
    try:
        settings, config = parse(overrides)
    except CONFIG_ERRORS as error:
        raise RoadexError(refusal(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        compare_loop(config, settings, Path(folder))
        if settings.backbones:
            compare_backbones(config, settings, Path(folder))
        if settings.pairs:
            compare_pairs(config, settings, Path(folder))
        if settings.variants:
            compare_variants(config, settings, Path(folder))


def parse(overrides: list[str]) -> tuple[Settings, TrainConfig]:
    """The benchmark's settings, and those of the training that it measures.

    Raises:
        RoadexError: a setting out of its range; Hydra and OmegaConf raise their own errors.
    """
    own = {entry.name for entry in fields(Settings)}
    mine = [line for line in overrides if line.partition("=")[0] in own]
    settings = parse_settings(Settings, mine)
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = typed(compose("train", [line for line in overrides if line not in mine]))
    return settings, config


def compare_loop(config: TrainConfig, settings: Settings, folder: Path) -> None:
    """Print the ratio of the loop's step to a bare one on the same model, and where time goes."""
    bench = open_bench(config, folder, settings.steps)
    bench.bare_seconds(1)  # the first step allocates, and compiles
    loop, bare = [], []
    for _ in range(settings.repeats):
        bare.append(bench.bare_seconds(settings.steps))
        loop.append(bench.loop_seconds())
    size, batch = config.dataset.crop, config.trainer.batch_size
    name, device = config.model.name, bench.learner.device
    print(f"{name}, backbone {config.backbone.kind}, on {device}: {batch} x {size} px a step")
    print(f"forward + backward + optimiser  {min(bare):9.4f} s")
    print(f"the training loop               {min(loop):9.4f} s")
    print(f"ratio                           {min(loop) / min(bare):9.3f}")
    print(_performance(bench, min(loop), settings))
    phases = bench.phases(settings.steps)
    shares = [f"{name} {value / sum(phases.values()):.1%}" for name, value in phases.items()]
    print("time: " + ", ".join(shares))


def _performance(bench: Bench, seconds: float, settings: Settings) -> str:
    """Images and operations a second, and memory."""
    images = bench.learner.config.trainer.batch_size / seconds
    flops = bench.flops()
    unit = "images/s" if bench.learner.device.type == "cuda" else "images per processor second"
    speed = images * flops / GIGA
    text = f"{images:.3f} {unit}, {flops / GIGA:.1f} GFLOP an image, {speed:.1f} GFLOP/s"
    if settings.peak_tflops:
        text += f" ({speed / 1000 / settings.peak_tflops:.1%} of the peak)"
    peak, held = bench.peak_bytes() / MIB, bench.held_bytes() / MIB
    memory = f"peak memory {peak:,.0f} MiB; an image holds {held:,.0f} MiB for its gradient"
    return f"{text}\n{memory}"


def compare_backbones(config: TrainConfig, settings: Settings, folder: Path) -> None:
    """Print what a training step costs with each backbone, against the published one."""
    _print_row("backbone", "px", "M param.", "GFLOP", "images/s", "of paper")
    for size in settings.sizes:
        paper = 0.0
        for name, backbone in _backbones().items():
            dataset = replace(config.dataset, crop=size)
            with _bench(replace(config, dataset=dataset, backbone=backbone), folder) as bench:
                rate, flops = _rate(bench, settings), bench.flops() / GIGA
                millions = bench.parameters() / MEGA
            paper = paper or rate
            _print_row(name, size, f"{millions:.2f}", f"{flops:.1f}", f"{rate:.3f}", rate / paper)


def _print_row(name: str, *cells: object) -> None:
    shown = (f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells)
    print(f"{name:30}" + "".join(f"{cell:>10}" for cell in shown), flush=True)


def _backbones() -> dict[str, BackboneConfig]:
    return {"paper": PaperBackboneConfig()} | {name: TimmBackboneConfig(name=name) for name in TIMM}


def compare_pairs(config: TrainConfig, settings: Settings, folder: Path) -> None:
    """Print the loop's step without and with the pair head, in turns, and the head's share."""
    benches = [
        open_bench(
            replace(config, model=replace(config.model, paths=paths)), folder, settings.steps
        )
        for paths in (False, True)
    ]
    rounds = [[bench.loop_seconds() for bench in benches] for _ in range(settings.repeats + 1)]
    plain, whole = (min(times) for times in zip(*rounds[1:], strict=True))  # the first warms up
    print(f"a step without and with the pair head  {plain:.4f} s, {whole:.4f} s")
    print(f"the head's share                       {1 - plain / whole:.1%}")


def compare_variants(config: TrainConfig, settings: Settings, folder: Path) -> None:
    """Print images a second by number format, layout and compilation, measured in turns.

    On a GPU also with the largest batch that fits, one after the other.
    """
    _print_row("variant", "batch", "images/s", "of fp32", "GFLOP/s", "of peak")
    variants = _variants(config.trainer)
    batch = config.trainer.batch_size
    benches = {
        name: open_bench(replace(config, trainer=trainer), folder, steps=1)
        for name, trainer in variants.items()
    }
    times = _in_turns(list(benches.values()), settings)
    reference = batch / times[0]
    for (name, bench), seconds in zip(benches.items(), times, strict=True):
        _print_variant(name, batch, batch / seconds, reference, bench, settings)
    benches.clear()
    for name, trainer in variants.items():
        for larger in _larger_batches(trainer, config, folder):
            changed = replace(config, trainer=replace(trainer, batch_size=larger))
            with _bench(changed, folder) as bench:
                _print_variant(name, larger, _rate(bench, settings), reference, bench, settings)


def _in_turns(benches: list[Bench], settings: Settings) -> list[float]:
    """Seconds of a bare step of each, the least of some rounds after one that does not count."""
    rounds = [
        [bench.bare_seconds(settings.steps if number else 1) for bench in benches]
        for number in range(settings.repeats + 1)
    ]
    return [min(times) for times in zip(*rounds[1:], strict=True)]


def _print_variant(
    name: str, batch: int, rate: float, reference: float, bench: Bench, settings: Settings
) -> None:
    speed = rate * bench.flops() / GIGA
    share = speed / 1000 / settings.peak_tflops if settings.peak_tflops else "-"
    _print_row(name, batch, f"{rate:.3f}", rate / reference, f"{speed:.1f}", share)


def _variants(trainer: TrainerConfig) -> dict[str, TrainerConfig]:
    variants: dict[str, TrainerConfig] = {}
    for precision in (Precision.fp32, Precision.bf16):
        plain = replace(trainer, precision=precision, channels_last=False, compile=False)
        last = replace(plain, channels_last=True)
        variants[precision.value] = plain
        variants[f"{precision.value}, channels-last"] = last
        variants[f"{precision.value}, channels-last, compiled"] = replace(last, compile=True)
    return variants


def _larger_batches(trainer: TrainerConfig, config: TrainConfig, folder: Path) -> Iterator[int]:
    """On a GPU the largest power of two times the batch size that fits, if any is larger."""
    largest = trainer.batch_size
    while torch.cuda.is_available() and trainer.device != "cpu":
        bigger = replace(config, trainer=replace(trainer, batch_size=2 * largest))
        try:
            with _bench(bigger, folder) as bench:
                bench.bare_seconds(1)
        except torch.OutOfMemoryError:
            break
        largest *= 2
    if largest > trainer.batch_size:
        yield largest


def _rate(bench: Bench, settings: Settings) -> float:
    """Images a second of bare steps, at best."""
    bench.bare_seconds(1)
    best = min(bench.bare_seconds(settings.steps) for _ in range(settings.repeats))
    return bench.learner.config.trainer.batch_size / best


@contextmanager
def _bench(config: TrainConfig, folder: Path) -> Iterator[Bench]:
    """A bench of one step, whose memory is given back."""
    yield open_bench(config, folder, steps=1)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
