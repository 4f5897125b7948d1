"""What a depthwise convolution costs on a CPU, by number format, layout and kernel.

And what a training step in bf16 gains where those of 5x5 and more compute in fp32, as they do in
roadex.

python experiments/training_speed/depthwise.py [rounds=5]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from roadex.benchmarks._steps import Bench, open_bench
from roadex.benchmarks.train import parse
from roadex.engine.acceleration import _Float32

CHANNELS, SIDE, BATCH = 144, 64, 4
FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


def layer_step(kernel: int, dtype: torch.dtype, layout: torch.memory_format) -> Callable[[], None]:
    """A forward and backward pass of one layer."""
    layer = nn.Conv2d(CHANNELS, CHANNELS, kernel, padding=kernel // 2, groups=CHANNELS, bias=False)
    layer = layer.to(memory_format=layout)
    image = torch.randn(BATCH, CHANNELS, SIDE, SIDE).contiguous(memory_format=layout)
    image.requires_grad_()

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
            layer(image.to(dtype)).float().mean().backward()

    return step


def milliseconds(steps: list[Callable[[], None]], rounds: int) -> list[float]:
    """The least processor time of each step, all of them in turns; the first round is left out."""
    times = []
    for _ in range(rounds + 1):
        row = []
        for step in steps:
            started = time.process_time()
            for _ in range(3):
                step()
            row.append((time.process_time() - started) / 3 * 1000)
        times.append(row)
    return [min(column) for column in zip(*times[1:], strict=True)]


NETWORK = (
    "model=unet", "backbone=lite0", "backbone.weights=none", "dataset.crop=256",
    "trainer.batch_size=4", "trainer.precision=bf16", "trainer.channels_last=true",
)  # fmt: skip


def all_in_bf16(bench: Bench) -> int:
    """Let the depthwise convolutions compute as all layers do; returns how many had not."""
    apart = [layer for layer in bench.learner.model.modules() if isinstance(layer, _Float32)]
    for layer in apart:
        layer.__class__ = type(layer).__mro__[2]
    return len(apart)


def compare_steps(rounds: int) -> None:
    """Print images a second of both kinds of step, taken in turns."""
    _, config = parse(list(NETWORK))
    with tempfile.TemporaryDirectory() as folder:
        benches = [open_bench(config, Path(folder), 1) for _ in range(2)]
        layers = all_in_bf16(benches[1])
        times = [[bench.bare_seconds(2) for bench in benches] for _ in range(rounds + 1)]
    apart, alike = (min(column) for column in zip(*times[1:], strict=True))
    count = config.trainer.batch_size
    print(f"{layers} layers in fp32: {count / apart:.2f} images/s, in bf16: {count / alike:.2f}")
    print(f"ratio {alike / apart:.2f}")


def main(rounds: int = 5) -> None:
    """Print a row for each kernel: milliseconds of a forward and backward pass."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    kinds = [(dtype, name) for dtype in (torch.float32, torch.bfloat16) for name in FORMATS]
    heads = [f"{str(dtype).removeprefix('torch.')}, {name}" for dtype, name in kinds]
    print("| kernel | " + " | ".join(heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for kernel in (3, 5, 7):
        steps = [layer_step(kernel, dtype, FORMATS[name]) for dtype, name in kinds]
        found = " | ".join(f"{value:.1f}" for value in milliseconds(steps, rounds))
        print(f"| {kernel}x{kernel} | {found} |", flush=True)
    compare_steps(rounds)


if __name__ == "__main__":
    main(*(int(argument.partition("=")[2]) for argument in sys.argv[1:]))
