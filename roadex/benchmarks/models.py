"""What each model costs: parameters, multiplications, images a second, memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from roadex.benchmarks._settings import parse_settings
from roadex.command.frame import typed
from roadex.command.help import group_choices
from roadex.command.refusal import CONFIG_ERRORS, refusal
from roadex.config.limits import bounded, choice
from roadex.config.paths import config_dir
from roadex.config.train import TrainConfig
from roadex.config.trainer import Precision
from roadex.engine.device import autocast, pick_device
from roadex.errors import RoadexError
from roadex.files import write_text
from roadex.models.registry import build_model, count_macs, count_parameters

REFERENCE = "stacked_multitask"
MACS_AT = 512
MIB = 2**20
HEADER = ("model", "parameters", "GMACs at 512", "forward/s", "training/s", "step time", "MiB")


@dataclass
class Settings:
    """The benchmark's settings."""

    # null: all that there are, the published one first. Also "experiment=NAME", for its model.
    models: list[str] | None = None
    # Further settings of roadex.train for all of them.
    overrides: list[str] = field(default_factory=list)
    # Side of the images that are timed, and images in a step.
    size: int = bounded(256, least=32)
    batch: int = bounded(2, least=2)
    repeats: int = bounded(2, least=1)
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    precision: Precision = Precision.fp32
    # The table is written here as Markdown, too.
    out: str | None = None


@dataclass(frozen=True)
class Cost:
    """What a model costs.

    Attributes:
        macs: multiplications and additions of a forward pass on 512x512 pixels.
        forward, step: seconds for an image: the pass without, and with learning from it.
        memory: bytes for an image in training: what a GPU held at most, or what the backward pass
            needs on a CPU.
    """

    parameters: int
    macs: int
    forward: float
    step: float
    memory: float


def main(overrides: list[str]) -> None:
    """Time every model on random images of one size, within one run.

    On a CPU seconds are those of the processor, which a busy machine does not distort; the column
    `step time` is the ratio to the first model. Settings: models=[a,b] size=256 batch=2 repeats=2
    device=auto precision=bf16 out=FILE.md overrides=[model.connectivity=true].
    """
    settings = parse_settings(Settings, overrides)
    device = pick_device(settings.device)
    names = settings.models or ordered(group_choices("model"))
    costs: dict[str, Cost] = {}
    print(" | ".join(HEADER))
    for name in names:
        config = composed(name, settings.overrides)
        costs[name] = measure(config, settings, device)
        print(" | ".join(row(name, costs, next(iter(costs)))), flush=True)
    if settings.out is not None:
        write_text(Path(settings.out), table(costs, settings, device))


def ordered(names: list[str]) -> list[str]:
    """The published model first, to which the others are compared."""
    return sorted(names, key=lambda name: (name != REFERENCE, name))


def composed(name: str, overrides: list[str]) -> TrainConfig:
    """The settings of a training with `model=name`, or of an experiment.

    Raises:
        RoadexError: there is no such model or setting.
    """
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            first = name if "=" in name else f"model={name}"
            return cast(TrainConfig, typed(compose("train", [first, *overrides])))
    except CONFIG_ERRORS as error:
        raise RoadexError(refusal(error)) from error


def measure(config: TrainConfig, settings: Settings, device: torch.device) -> Cost:
    """Count and time the model of a training."""
    model, bands = build_model(config.model, config.backbone), config.backbone.bands
    macs = count_macs(model, MACS_AT, bands)
    form = torch.channels_last
    model = model.to(device=device, memory_format=form)  # type: ignore[call-overload]
    shape = (settings.batch, bands, settings.size, settings.size)
    images = torch.randn(shape, device=device).contiguous(memory_format=form)

    def answer() -> Tensor:
        with autocast(device, settings.precision):
            return _answer(model, images)

    def learn() -> None:
        model.zero_grad(set_to_none=True)
        answer().backward()

    model.eval()
    with torch.no_grad():
        forward = seconds(answer, settings.repeats, device)
    model.train()
    memory = training_memory(learn, device)
    step = seconds(learn, settings.repeats, device)
    count = settings.batch
    return Cost(count_parameters(model), macs, forward / count, step / count, memory / count)


def _answer(model: nn.Module, images: Tensor) -> Tensor:
    """A number to which every output map contributes."""
    return torch.stack([m.float().mean() for maps in model(images).values() for m in maps]).sum()


def training_memory(learn: Callable[[], None], device: torch.device) -> float:
    """Bytes of a step: the peak on a GPU, on a CPU what is kept for the backward pass."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        learn()
        return float(torch.cuda.max_memory_allocated(device))
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        learn()
    return float(sum(kept.values()))


def seconds(action: Callable[[], object], repeats: int, device: torch.device) -> float:
    """The shortest of some runs after one that is not counted."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    best = float("inf")
    for attempt in range(repeats + 1):
        started = clock()
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, clock() - started) if attempt else best
    return best


def row(name: str, costs: dict[str, Cost], reference: str) -> list[str]:
    """The cells of a model."""
    cost = costs[name]
    return [
        f"{name:18}",
        f"{cost.parameters:>12,}",
        f"{cost.macs / 1e9:6.1f}",
        f"{1 / cost.forward:7.2f}",
        f"{1 / cost.step:7.2f}",
        f"{cost.step / costs[reference].step:5.2f}",
        f"{cost.memory / MIB:6.0f}",
    ]


def table(costs: dict[str, Cost], settings: Settings, device: torch.device) -> str:
    """All costs as Markdown, with what they were measured on."""
    reference = next(iter(costs))
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "one CPU core's time"
    lines = [
        f"Images of {settings.size} px in batches of {settings.batch}, "
        f"{settings.precision.value}, {where}, "
        f"torch {torch.__version__}; step time as a multiple of {reference}'s; MiB an image holds "
        "in training.",
        "",
        f"| {' | '.join(HEADER)} |",
        "|---|" + "---:|" * (len(HEADER) - 1),
        *(f"| {' | '.join(c.strip() for c in row(name, costs, reference))} |" for name in costs),
    ]
    return "\n".join(lines) + "\n"
