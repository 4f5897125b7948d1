"""A truth and a proposal, and what several metrics need from them, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import networkx as nx

from roadex.config.metrics import MetricSettings
from roadex.metrics.apls.routes import Routes
from roadex.metrics.apls.score import compare
from roadex.metrics.roads import Roads, as_through_roads


@dataclass(frozen=True)
class Pair:
    """Two road networks in metres (see roadex.graph.network) that are to be compared."""

    truth: nx.MultiGraph
    proposal: nx.MultiGraph
    settings: MetricSettings

    @cached_property
    def real(self) -> Roads:
        """The truth with roads that run through nodes of degree 2."""
        return as_through_roads(self.truth)

    @cached_property
    def drawn(self) -> Roads:
        """The proposal with roads that run through nodes of degree 2."""
        return as_through_roads(self.proposal)

    @cached_property
    def routes(self) -> tuple[Routes | None, Routes | None]:
        """APLS's routes in both directions; None for a network without roads."""
        return compare(self.truth, self.proposal, self.settings.apls)

    @property
    def is_empty(self) -> bool:
        """Whether neither network has a road, so that nothing is scored."""
        return self.real.is_empty and self.drawn.is_empty
