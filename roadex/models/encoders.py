"""The timm encoder inside a model: where it is, how it is frozen, and its low-rank adaptation."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import register_parametrization

from roadex.errors import RoadexError

# Where the models keep their encoder.
_PLACES = ("encoder", "backbone.extractor")
# A numbered part of a layer, as in blocks.3.1.conv or layer2_0: the numbers give the depth.
_NUMBERS = re.compile(r"\d+")


def encoder_of(model: nn.Module) -> tuple[str, nn.Module] | None:
    """The name and the module of a model's timm encoder; None where it has its own backbone."""
    for place in _PLACES:
        try:
            return place, model.get_submodule(place)
        except AttributeError:
            continue
    return None


def layer_numbers(encoder: nn.Module) -> dict[str, int]:
    """The layer of each parameter by name, counted from the image.

    A layer is a numbered block at the lowest level but one: blocks.3.1 of an EfficientNet, stages.2
    .blocks.0 of a ConvNeXt, blocks.7 of a transformer. Parameters without a number belong to the
    layer before them; the stem is layer 0.
    """
    layers: dict[str, int] = {}
    seen: list[tuple[int, ...]] = []
    for name, _ in encoder.named_parameters():
        numbers = tuple(int(n) for n in _NUMBERS.findall(name.rpartition(".")[0])[:2])
        if numbers and numbers not in seen:
            seen.append(numbers)
        layers[name] = seen.index(numbers) + 1 if numbers else len(seen)
    return layers


class FrozenEncoder:
    """A frozen encoder: no gradients, and batch norms in evaluation mode."""

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder
        self._learning = [p for p in encoder.parameters() if p.requires_grad]

    def freeze(self) -> None:
        """Freeze it; to be called again after every `model.train()`."""
        for parameter in self._learning:
            parameter.requires_grad_(False)
        for module in self.encoder.modules():
            if isinstance(module, _BatchNorm):
                module.eval()

    def release(self) -> None:
        """Unfreeze what was trainable before."""
        for parameter in self._learning:
            parameter.requires_grad_(True)
        self.encoder.train()


# The linear layers of timm's attention, and which parts of their rows make queries and values.
_PARTS = {"qkv": (3, (0, 2)), "q_proj": (1, (0,)), "v_proj": (1, (0,))}


class LowRank(nn.Module):
    """A weight with learnt changes of low rank, initially zero, to some equal parts of its rows.

    Args:
        weight: (out, in).
        rank: of each part's change.
        count: parts that the rows consist of.
        parts: those that are changed.
    """

    def __init__(self, weight: Tensor, rank: int, count: int, parts: tuple[int, ...]) -> None:
        super().__init__()
        rows, columns = weight.shape[0] // count, weight.shape[1]
        self.count, self.parts = count, parts
        self.down = nn.Parameter(torch.randn(len(parts), rank, columns) * columns**-0.5)
        self.up = nn.Parameter(torch.zeros(len(parts), rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """(out, in) to the same shape."""
        changes = dict(zip(self.parts, self.up @ self.down, strict=True))
        parts = weight.chunk(self.count)
        return torch.cat([p + changes[i] if i in changes else p for i, p in enumerate(parts)])


def adapt(encoder: nn.Module, rank: int, name: str) -> None:
    """Train only changes of `rank` to the queries and values of an encoder, and freeze the rest.

    Raises:
        RoadexError: it has no attention of timm's form.
    """
    found = [
        (module, *_PARTS[place.rpartition(".")[2]])
        for place, module in encoder.named_modules()
        if isinstance(module, nn.Linear) and place.rpartition(".")[2] in _PARTS
    ]
    if not found:
        raise RoadexError(
            f"backbone.lora_rank={rank}: backbone.name={name} has no attention to adapt; "
            "choose a vision transformer, or backbone.lora_rank=0"
        )
    encoder.requires_grad_(False)
    for layer, count, parts in found:
        register_parametrization(layer, "weight", LowRank(layer.weight, rank, count, parts))
