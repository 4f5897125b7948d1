"""Timing of training steps, for `python -m roadex.benchmark train`."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn, optim
from torch.utils.flop_counter import FlopCounterMode

from roadex.benchmarks.loader import example_dataset
from roadex.config.train import TrainConfig
from roadex.data.augment import Augmentation
from roadex.data.crops import Crop, CropDataset, crop_loader
from roadex.engine.batches import Batches
from roadex.engine.device import autocast, loader_count, pick_device
from roadex.engine.distributed import Group
from roadex.engine.inference import normalize
from roadex.engine.learner import Learner, build_learner
from roadex.engine.loop import TrainingLoop
from roadex.engine.optimization import build_optimizer
from roadex.engine.signals import StopSignals
from roadex.engine.validation import Scorers, Validator
from roadex.losses.multitask import attribute_labels, multitask_loss
from roadex.models.registry import count_parameters
from roadex.runs.folder import RunFolder
from roadex.tracking.tracker import NoTracker

PHASES = ("data", "transfer", "forward", "loss", "backward", "optimiser")


@dataclass
class Clock:
    """Seconds of work: of this process on a CPU, which a busy machine does not distort."""

    device: torch.device

    def __call__(self) -> float:
        """The time when all work begun so far is done."""
        if self.device.type != "cuda":
            return time.process_time()
        torch.cuda.synchronize(self.device)
        return time.perf_counter()


@dataclass
class Bench:
    """A model that learns crops of example tiles, in the training loop or by bare calls.

    Attributes:
        batches: where the loop takes its batches from.
        batch: one of them, on the device.
    """

    learner: Learner
    batches: Batches
    optimizer: optim.Optimizer
    batch: Crop
    folder: Path
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(self.learner.device)

    @property
    def train_model(self) -> nn.Module:
        """The model as the loop calls it."""
        return self.learner.train_model

    def bare_step(self, image: Tensor, tick: Callable[[str], None] = lambda _: None) -> None:
        """Forward, backward and optimiser, and nothing else; `tick` is called after each phase."""
        config, batch = self.learner.config, self.batch
        with autocast(self.learner.device, config.trainer.precision):
            logits = self.train_model(image)
        tick("forward")
        labels, directions = (batch["mask"], batch["connectivity"]), batch.get("orientation")
        loss, _ = multitask_loss(
            logits,
            *labels,
            config.loss,
            orientation=directions,
            attributes=attribute_labels(batch),
        )
        tick("loss")
        loss.backward()
        tick("backward")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        tick("optimiser")

    def image(self) -> Tensor:
        """The batch's image as the model needs it."""
        dataset, trainer = self.learner.dataset, self.learner.config.trainer
        image = normalize(self.batch["image"], dataset.mean, dataset.std)
        layout = torch.channels_last if trainer.channels_last else torch.contiguous_format
        return image.contiguous(memory_format=layout)

    def bare_seconds(self, steps: int) -> float:
        """Seconds of a bare step."""
        image = self.image()
        self.learner.model.train()
        started = self.clock()
        for _ in range(steps):
            self.bare_step(image)
        return (self.clock() - started) / steps

    def loop_seconds(self) -> float:
        """Seconds of a step of the training loop over one epoch."""
        run = RunFolder(self.folder, self.learner.config, writes=False)
        validator = Validator(self.learner.config, self.learner.dataset, Group(), Scorers(0))
        loop = TrainingLoop(
            self.learner, self.batches, run, NoTracker(), StopSignals(), validator
        )  # fmt: skip
        started = self.clock()
        loop.learn_epoch()
        return (self.clock() - started) / len(self.batches)

    def phases(self, steps: int) -> dict[str, float]:
        """Seconds of each phase of a step, waiting for the device after each."""
        seconds = dict.fromkeys(PHASES, 0.0)
        batches = self.batches.of_epoch(1, 0)
        for _ in range(steps):
            last = self.clock()

            def tick(phase: str) -> None:
                nonlocal last
                now = self.clock()
                seconds[phase] += (now - last) / steps
                last = now

            batch = next(batches)
            tick("data")
            self.batch = {key: value.to(self.learner.device) for key, value in batch.items()}
            image = self.image()
            tick("transfer")
            self.bare_step(image, tick)
        return seconds

    def flops(self) -> int:
        """Floating-point operations of forward and backward pass for one image of the batch."""
        counter = FlopCounterMode(display=False)
        with counter:
            logits = self.learner.model(self.image()[:1])
            sum(maps[-1].sum() for maps in logits.values()).backward()
        self.optimizer.zero_grad(set_to_none=True)
        return int(counter.get_total_flops())

    def held_bytes(self) -> int:
        """Bytes that the forward pass of one image keeps for the backward pass, without weights."""
        weights = {value.data_ptr() for value in self.learner.model.state_dict().values()}
        held: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            if tensor.data_ptr() not in weights:
                held[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
            kept.append(tensor)  # or its memory would be reused
            return tensor

        kept: list[Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            self.learner.model(self.image()[:1])
        return sum(held.values())

    def peak_bytes(self) -> int:
        """The most memory so far: the GPU's, or this process's."""
        if self.learner.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.learner.device)
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def parameters(self) -> int:
        """Trainable parameters."""
        return count_parameters(self.learner.model)


def open_bench(config: TrainConfig, folder: Path, steps: int) -> Bench:
    """A bench of the training that `config` describes, on crops of example tiles in `folder`."""
    device = pick_device(config.trainer.device)
    size = max(512, 2 * config.dataset.crop)
    tiles = 2
    dataset = example_dataset(
        Path(tempfile.mkdtemp(dir=folder)), size, tiles, config.backbone.bands
    )
    draws = -(-steps * config.trainer.batch_size // tiles)
    dataset = replace(dataset, crops_per_tile=draws)
    augmentation, directions = Augmentation(config.augment), config.model.orientation_bins > 0
    crops = CropDataset(
        dataset, config.dataset.crop, augmentation, config.seed, directions, config.model.paths
    )
    workers = loader_count(config.trainer.num_workers, device)
    pin = device.type == "cuda" and workers > 0
    batches = Batches(lambda: crop_loader(crops, config.trainer.batch_size, workers, pin))
    learner = build_learner(config, dataset, device, len(batches))
    optimizer = build_optimizer(learner.model, config.optimizer)
    batch = {key: value.to(device) for key, value in next(batches.of_epoch(1, 0)).items()}
    return Bench(learner, batches, optimizer, batch, folder)
