"""Pairs of vertices classified on a whole image, from what a model predicts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from roadex.errors import RoadexError
from roadex.graph.paths.network import ClassifiedPairs
from roadex.graph.paths.vertices import Vertices
from roadex.models.contract import EVIDENCE
from roadex.models.pair_head import Cell, PairQuery, cells
from roadex.models.sam_road import Head, head_of


@dataclass(frozen=True)
class PairClassifier:
    """A trained pair head."""

    head: Head
    device: torch.device

    @classmethod
    def of(cls, model: nn.Module, device: torch.device) -> PairClassifier | None:
        """The classifier of a model; None if it classifies no pairs."""
        head = head_of(model)
        return None if head is None else cls(head, device)

    @classmethod
    def wanted(cls, model: nn.Module, device: torch.device, decoder: str) -> PairClassifier | None:
        """The classifier of a model if roads are decoded from pairs; None if from the mask.

        Raises:
            RoadexError: `decoder` is paths, and the model classifies no pairs.
        """
        classifier = None if decoder == "mask" else cls.of(model, device)
        if classifier is None and decoder == "paths":
            raise RoadexError(
                "graph.decoder=paths: this model classifies no pairs of vertices: set "
                "graph.decoder=mask, or train one with model.paths=true"
            )
        return classifier

    @torch.inference_mode()
    def __call__(
        self, probabilities: Mapping[str, NDArray[np.float32]], pixel: Cell
    ) -> ClassifiedPairs:
        """The classified pairs of an image, in metres in its frame.

        Args:
            probabilities: (K, H, W) of each task and of the evidence, from 0 to 1.
            pixel: metres per pixel along x and y.
        """
        road = self._tensor(probabilities["segmentation"][1])
        ways = self._tensor(probabilities["connectivity"]) if self.head.classes else None
        evidence = self._tensor(probabilities[EVIDENCE]) if self.head.config.evidence else None
        maps, cell = cells(road, ways, evidence, pixel)
        return self.classified(maps, cell)

    def _tensor(self, values: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values))[None].to(self.device)

    @torch.inference_mode()
    def classified(
        self, maps: Tensor, cell: Cell, vertices: Vertices | None = None
    ) -> ClassifiedPairs:
        """The same from cells (1, C, h, w), and from vertices if they are already known.

        A pair's logit is the mean over its two directions.
        """
        self.head.eval()
        if vertices is None:
            vertices = self.head.find(self.head.strength(maps[0], cell))
        pairs = self.head.candidates(vertices.points)
        if not len(pairs):
            return ClassifiedPairs(vertices, pairs, np.zeros(0))
        points = torch.from_numpy(vertices.points).float().to(self.device)
        kinds = torch.from_numpy(vertices.kinds).to(self.device)
        asked = torch.from_numpy(pairs).to(self.device)
        logits = self.head.both(PairQuery(maps, cell, [points], [kinds], [asked]))
        chances = logits.sigmoid().cpu().numpy().astype(np.float64)
        return ClassifiedPairs(vertices, pairs, chances)
