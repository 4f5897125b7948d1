"""The timm encoder inside a model: where it is, how it is frozen, and its low-rank adaptation."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import (
    is_parametrized,
    register_parametrization,
    remove_parametrizations,
)

from roadex.errors import RoadexError

# Where the models keep their encoder.
_PLACES = ("encoder", "backbone.extractor")
# The numbered parts of a layer's name, such as blocks.3.1 or layer2.0; not those of fc1 inside one.
_NUMBERS = re.compile(r"^[a-z]+(\d+)(?=[._]|$)|(?<=[._])(\d+)(?=[._]|$)")


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
        module = name.partition(_CHANGED)[0].rpartition(".")[0]
        numbers = tuple(int(a or b) for a, b in _NUMBERS.findall(module)[:2])
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


# Where PyTorch keeps a parametrised weight, below its layer's name.
_CHANGED = ".parametrizations.weight."
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
        return _changed(weight, self.up, self.down, self.count, self.parts)


def _changed(
    weight: Tensor, up: Tensor, down: Tensor, count: int, parts: tuple[int, ...]
) -> Tensor:
    changes = dict(zip(parts, up @ down, strict=True))
    rows = weight.chunk(count)
    return torch.cat([p + changes[i] if i in changes else p for i, p in enumerate(rows)])


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


def merge(model: nn.Module) -> None:
    """Make learnt changes of low rank part of the weights that they change."""
    for module in list(model.modules()):
        if is_parametrized(module, "weight"):
            remove_parametrizations(module, "weight", leave_parametrized=True)


def refit(weights: dict[str, Tensor], own: dict[str, Tensor]) -> tuple[dict[str, Tensor], str]:
    """Weights of a model with or without changes of low rank, for one that has others or none.

    Their changes become part of the weights that they change; new ones start as in `own`, at zero.

    Args:
        own: the weights of the model that they are for.

    Returns:
        The weights by the names of that model, and what was done, for the user; empty: nothing.
    """
    theirs, wanted = (
        {n: w.shape for n, w in found.items() if _CHANGED in n} for found in (weights, own)
    )
    if theirs == wanted:
        return weights, ""
    fitted = {name: own[name] for name in wanted}
    for name, value in _merged(weights).items():
        original = f"{name.removesuffix('.weight')}{_CHANGED}original"
        fitted[original if original in own else name] = value
    done = [f"its changes of {len(theirs) // 3} layers (LoRA) are merged"] if theirs else []
    done += [f"new changes of {len(wanted) // 3} layers (LoRA) start at zero"] if wanted else []
    return fitted, ", ".join(done)


def _merged(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    plain = {name: value for name, value in weights.items() if _CHANGED not in name}
    for name in weights:
        layer, _, part = name.partition(_CHANGED)
        if part == "original":
            up, down = (weights[f"{layer}{_CHANGED}0.{end}"] for end in ("up", "down"))
            how = _PARTS[layer.rpartition(".")[2]]
            plain[f"{layer}.weight"] = _changed(weights[name], up, down, *how)
    return plain
