"""Low-rank adaptation of a transformer's attention (Hu et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from roadex.errors import RoadexError

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
