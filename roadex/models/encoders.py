"""The timm encoder inside a model: where it is, and how deep each of its parameters lies."""

from __future__ import annotations

import re

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

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
