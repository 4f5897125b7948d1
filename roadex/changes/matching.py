"""The place in the other network that matches each sample of a network.

First samples within `match_m` that run the same way are matched; then, among the rest, pairs that
are farther apart: a road that is matched cannot be the place to which another one has moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from roadex.changes.samples import Floats, Integers, Samples

# Samples looked up at a time, and how many of the nearest ones of the other network are tried.
_CHUNK = 1 << 17
_NEAREST = 12
_NEAREST_FAR = 32


@dataclass(frozen=True)
class Tolerances:
    """How far apart, and in which different directions, the same road may run.

    Attributes:
        match_m: metres within which two are the same.
        moved_m: metres within which one has moved, if neither matches another road.
        angle: degrees between their directions.
    """

    match_m: float
    moved_m: float
    angle: float


@dataclass(frozen=True)
class Matches:
    """The partner of each sample (n,).

    Attributes:
        partner: number of a sample of the other network, -1 where there is none.
        offset: (n, 2) from the sample straight across to the partner's road, in metres.
        near: whether the partner lies within `match_m`.
    """

    partner: Integers
    offset: Floats
    near: NDArray[np.bool_]

    @property
    def gap(self) -> Floats:
        """Metres to the partner's road (n,)."""
        return np.asarray(np.hypot(self.offset[:, 0], self.offset[:, 1]))


def match(one: Samples, other: Samples, tolerances: Tolerances) -> tuple[Matches, Matches]:
    """The partners of the samples of both networks."""
    near = [_near(*pair, tolerances) for pair in ((one, other), (other, one))]
    lonely = [np.flatnonzero(found.partner < 0) for found in near]
    for index, (own, there) in enumerate(((one, other), (other, one))):
        _add_far(near[index], own, lonely[index], there, lonely[1 - index], tolerances)
    return near[0], near[1]


def _near(own: Samples, other: Samples, tolerances: Tolerances) -> Matches:
    count = len(own.points)
    partners = Matches(np.full(count, -1), np.zeros((count, 2)), np.zeros(count, dtype=bool))
    everyone = np.arange(count)
    _find(
        partners, own, everyone, other, np.arange(len(other.points)), tolerances, tolerances.match_m
    )
    partners.near[:] = partners.partner >= 0
    return partners


def _add_far(
    partners: Matches,
    own: Samples,
    lonely: Integers,
    other: Samples,
    their_lonely: Integers,
    tolerances: Tolerances,
) -> None:
    """Give partners farther away to samples that have none, in place."""
    _find(partners, own, lonely, other, their_lonely, tolerances, tolerances.moved_m)


def _find(
    partners: Matches,
    own: Samples,
    asked: Integers,
    other: Samples,
    offered: Integers,
    tolerances: Tolerances,
    limit_m: float,
) -> None:
    """For each sample asked the nearest road offered that runs the same way, in place."""
    if not len(asked) or not len(offered):
        return
    tree = cKDTree(other.points[offered])
    half = float(other.cells[offered].max()) / 2
    nearest = min(_NEAREST if limit_m <= tolerances.match_m else _NEAREST_FAR, len(offered))
    for low in range(0, len(asked), _CHUNK):
        block = asked[low : low + _CHUNK]
        _, found = tree.query(
            own.points[block], k=np.arange(1, nearest + 1),
            distance_upper_bound=float(np.hypot(limit_m, half)) + 1e-6,
        )  # fmt: skip
        _choose(partners, own, block, other, np.append(offered, -1)[found], tolerances, limit_m)


def _choose(
    partners: Matches,
    own: Samples,
    block: Integers,
    other: Samples,
    found: Integers,
    tolerances: Tolerances,
    limit_m: float,
) -> None:
    """Of the candidates (b, k) of each sample the road that is nearest, straight across."""
    away = other.points[found] - own.points[block][:, None]
    heading = other.headings[found]
    across = away[..., 0] * -heading[..., 1] + away[..., 1] * heading[..., 0]
    along = np.abs((away * heading).sum(axis=-1))
    same_way = np.abs((heading * own.headings[block][:, None]).sum(axis=-1))
    fits = (
        (found >= 0)
        & (np.abs(across) <= limit_m)
        & (same_way >= np.cos(np.radians(tolerances.angle)))
    )
    fits &= along <= 0.5 * other.cells[found] + 0.25 * own.cells[block][:, None]
    gaps = np.where(fits, np.abs(across), np.inf)
    best = np.argmin(gaps, axis=1)
    rows = np.flatnonzero(np.isfinite(gaps[np.arange(len(block)), best]))
    chosen = best[rows]
    normal = heading[rows, chosen][:, ::-1] * (-1.0, 1.0)
    partners.partner[block[rows]] = found[rows, chosen]
    partners.offset[block[rows]] = normal * across[rows, chosen][:, None]


def common_shift(one: Samples, partners: Matches) -> tuple[float, float] | None:
    """The overall offset in metres (x, y) between two networks; None if unknown.

    A road shows an offset only straight across, so that roads of several directions are needed.
    """
    known = np.flatnonzero(partners.partner >= 0)
    normals = one.headings[known][:, ::-1] * (-1.0, 1.0)
    across = (partners.offset[known] * normals).sum(axis=1)
    for _ in range(3):  # without outliers
        system = normals.T @ normals
        if len(normals) < 20 or np.linalg.cond(system) > 50:
            return None
        shift = np.linalg.solve(system, normals.T @ across)
        rest = np.abs(across - normals @ shift)
        kept = rest <= max(3 * float(np.median(rest)), 0.5)
        normals, across = normals[kept], across[kept]
    return float(shift[0]), float(shift[1])
