"""Scores of the attributes of roads, by the length of true roads that have each value.

The model's maps are read along the lines of true roads, as they are along predicted ones. So these
scores measure the attributes of roads whose place is known; other scores measure whether roads are
found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.config.labels import IGNORE
from roadex.graph.attribute_labels import VALUES, labels_of

Counts = NDArray[np.int64]
NEAR_KPH = 10.0
_PER_METRE = 1000  # lengths are counted in whole millimetres, so that they add up in any order
_COLUMNS = {"class": "highway", "surface": "surface", "lanes": "lanes", "speed": "speed_kph"}


@dataclass
class AttributeCounts:
    """Millimetres of true road; add those of tiles to score a split.

    Attributes:
        confusion: (K, K) of each attribute, row = truth, column = prediction.
        speed: for roads whose speed is known: their millimetres; the millimetres with an error of
            at most `NEAR_KPH`; and the sum of millimetres times the error in km/h.
    """

    confusion: dict[str, Counts] = field(default_factory=dict)
    speed: Counts = field(default_factory=lambda: np.zeros(3, np.int64))

    def add(self, road: Mapping[str, Any], predicted: Mapping[str, Any]) -> None:
        """Count a true road.

        Args:
            road: its `length`, and its known attributes as in `known_attributes`.
            predicted: the same from the model, without the attributes that it does not learn.
        """
        length = round(road["length"] * _PER_METRE)
        for name, label in labels_of(road).items():
            if _COLUMNS[name] in predicted and label != IGNORE:
                counts = self._of(name)
                counts[label, labels_of(predicted)[name]] += length
        if "speed_kph" in road and "speed_kph" in predicted:
            error = abs(float(predicted["speed_kph"]) - float(road["speed_kph"]))
            # The rounding from miles to km/h does not count.
            near = error <= NEAR_KPH + 1e-6
            self.speed += np.array([length, length * near, round(length * error)], np.int64)

    def __iadd__(self, other: AttributeCounts) -> AttributeCounts:
        for name, counts in other.confusion.items():
            self._of(name)[:] += counts
        self.speed += other.speed
        return self

    def _of(self, name: str) -> Counts:
        size = len(VALUES[name])
        return self.confusion.setdefault(name, np.zeros((size, size), np.int64))

    def scores(self) -> dict[str, float]:
        """Macro F1 and accuracy of each attribute, and the errors of the speed; by length."""
        scores: dict[str, float] = {}
        for name in VALUES:
            counts = self.confusion.get(name)
            if counts is not None and counts.any():
                scores[f"{name}_macro_f1"] = macro_f1(counts)
                scores[f"{name}_accuracy"] = float(np.trace(counts) / counts.sum())
        metres, near, error = self.speed.tolist()
        if metres:
            scores["speed_error_kph"] = error / metres
            scores["speed_within_10_kph"] = near / metres
        return scores

    def table(self) -> dict[str, Any]:
        """The metres of each confusion, by the names of the true and the predicted value."""
        return {
            name: {
                "values": list(VALUES[name]),
                "metres": (counts / _PER_METRE).round(1).tolist(),
                "f1": dict(zip(VALUES[name], _rounded(class_f1(counts)), strict=True)),
            }
            for name in VALUES
            if (counts := self.confusion.get(name)) is not None
        }

    def plain(self) -> dict[str, Any]:
        """As lists, for another process."""
        counts = {name: counts.tolist() for name, counts in self.confusion.items()}
        return {"confusion": counts, "speed": self.speed.tolist()}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> AttributeCounts:
        """The inverse of `plain`."""
        counts = {name: np.array(rows, np.int64) for name, rows in plain["confusion"].items()}
        return cls(counts, np.array(plain["speed"], np.int64))


def class_f1(confusion: Counts) -> list[float | None]:
    """The F1 of each class from counts (K, K); None for classes that the truth does not have."""
    found = np.diag(confusion)
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    occurs = confusion.sum(axis=1) > 0
    return [
        float(2 * f / b) if known else None for f, b, known in zip(found, both, occurs, strict=True)
    ]


def macro_f1(confusion: Counts) -> float:
    """The mean F1 of the classes that occur in the truth."""
    return float(np.mean([value for value in class_f1(confusion) if value is not None]))


def _rounded(values: Iterable[float | None]) -> Sequence[float | None]:
    return [None if value is None else round(value, 4) for value in values]
