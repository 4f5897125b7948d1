"""What a model costs, whatever machine it runs on."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

SIDE = 512


def count_macs(model: nn.Module, side: int = SIDE) -> int:
    """Multiply-accumulate operations of one forward pass over an RGB image of `side` x `side`.

    Convolutions and matrix products are counted, as is the custom; sums, activations and resizing
    are not. Nothing is computed: the pass runs over shapes alone, on a copy of the model.
    """
    shapes = copy.deepcopy(model).to("meta").eval()
    image = torch.empty(1, 3, side, side, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(image)
    result: int = counter.get_total_flops() // 2
    return result
