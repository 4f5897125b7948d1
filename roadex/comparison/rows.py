"""From runs to the rows of a table: the same settings but for the seed are one row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from roadex.config.names import INCIDENTAL
from roadex.errors import RoadexError
from roadex.runs.reading import Run, is_fold

# Settings in which the runs of one row may differ.
_BESIDE = (*INCIDENTAL, "seed", "name", "trainer.device")
_METRICS = ("apls", "topo")
LONGEST = 36  # characters of a value in a row's name
SEED = re.compile(r"\bseed-\d+\b")  # the folder of a seed


@dataclass(frozen=True)
class Row:
    """The runs of one setting, by seed and fold."""

    name: str
    runs: list[Run]

    @property
    def seeds(self) -> list[int]:
        """Seeds in order, each once."""
        return sorted({run.seed for run in self.runs})


def rows_of(runs: list[Run], mixed: bool = False, by: Sequence[str] = ()) -> list[Row]:
    """Group runs into rows, in order of appearance.

    Args:
        by: the settings that name the rows, instead of all that differ.

    Raises:
        RoadexError: two runs have the same settings, seed and fold, or any two differ in what
            scores depend on besides the settings, unless `mixed`; or two rows differ in nothing of
            `by`.
    """
    if not mixed and (reasons := mixtures(runs)):
        raise RoadexError(f"{reasons[0]}; mixed=true compares them all the same")
    groups: dict[str, list[Run]] = {}
    for run, settings in zip(runs, _settings(runs), strict=True):
        groups.setdefault(json.dumps(settings, default=str), []).append(run)
    members = [sorted(group, key=lambda run: run.repeat) for group in groups.values()]
    if not mixed:
        for group in members:
            _check_seeds(group)
    names = _chosen_names(members, by) if by else _names(members)
    return [Row(name, group) for name, group in zip(names, members, strict=True)]


def mixtures(runs: list[Run]) -> list[str]:
    """What makes the runs' scores incomparable, a line for each reason."""
    facts: dict[str, Callable[[Run], str]] = {
        "split": _split,
        "metric settings": _metric_settings,
        "code version": lambda run: run.version,
    }
    found = []
    for name, fact in facts.items():
        values = [fact(run) for run in runs]
        for run, value in zip(runs, values, strict=True):
            if value != values[0]:
                first = f"{values[0]} in {runs[0].folder}"
                found.append(f"runs of different {name}: {first}, {value} in {run.folder}")
                break
    return found


def _split(run: Run) -> str:
    """The lists, which all folds of the same tiles share."""
    kind, folds = run.config.get("dataset.kind"), len(run.repeat) - 1
    if not folds:
        return f"{kind} {run.metrics['split_hash']}"
    return (
        f"{kind} {run.metrics.get('pool_hash')} in {run.config.get('dataset.splits.folds')} folds"
    )


def _metric_settings(run: Run) -> str:
    chosen = {k: v for k, v in run.config.items() if k.split(".")[0] in _METRICS}
    return ", ".join(f"{key}={value}" for key, value in sorted(chosen.items()))


def _settings(runs: list[Run]) -> list[dict[str, Any]]:
    """What each run was made with, as far as all versions of the code among them have settings."""
    known: dict[str, set[str]] = {}
    for run in runs:
        known.setdefault(run.version, set()).update(run.config)
    keys = [key for key in set.intersection(*known.values()) if not key.startswith(_BESIDE)]
    columns = {key: _for_any_seed(runs, key) for key in sorted(keys)}
    return [
        {key: column[place] for key, column in columns.items() if key in run.config}
        for place, run in enumerate(runs)
    ]


def _for_any_seed(runs: list[Run], key: str) -> list[Any]:
    """The setting of each run; a path that leads every run to a folder of its own seed is one.

    Such as that of its first weights. Where all start from those of one seed, it stays as it is.
    """
    values = [run.config.get(key) for run in runs]
    if is_fold(key):
        return ["one of them" if value is not None else None for value in values]
    alike = [SEED.sub("seed-*", str(value)) for value in values]
    elsewhere = {
        path
        for run, value, path in zip(runs, values, alike, strict=True)
        if set(SEED.findall(str(value))) - {f"seed-{run.seed}"}
    }
    return [
        path if isinstance(value, str) and path not in elsewhere else value
        for value, path in zip(values, alike, strict=True)
    ]


def _check_seeds(runs: list[Run]) -> None:
    for one, other in pairwise(runs):
        if one.repeat == other.repeat:
            raise RoadexError(
                f"{one.folder} and {other.folder} are the same settings and seed: move one away "
                "or add mixed=true"
            )


def _chosen_names(rows: list[list[Run]], keys: Sequence[str]) -> list[str]:
    """A name for each row from these settings alone; of one setting its value is enough."""
    described = [_described(runs, keys) for runs in rows]
    names = _labels(described) if len(keys) > 1 else [row[keys[0]] for row in described]
    for name in names:
        if names.count(name) > 1:
            raise RoadexError(f"by={','.join(keys)}: two rows are both {name}; name them by more")
    return names


def _names(rows: list[list[Run]]) -> list[str]:
    """A name for each row: what was swept, else the settings that differ."""
    firsts = [runs[0] for runs in rows]
    varied = [key for key in _varied([run.overrides for run in firsts]) if not is_fold(key)]
    swept = _labels([_described(runs, varied) for runs in rows])
    if len(set(swept)) == len(firsts) and all(swept):
        return swept
    settings = _settings(firsts)
    keys = _varied(settings)
    labels = _labels([{key: str(item.get(key)) for key in keys} for item in settings])
    return [label or str(run.config.get("name")) for label, run in zip(labels, firsts, strict=True)]


def _varied(items: list[dict[str, Any]]) -> list[str]:
    """The keys whose value is not the same in all."""
    keys = dict.fromkeys(key for item in items for key in item if not key.startswith(_BESIDE))
    return [key for key in keys if len({str(item.get(key)) for item in items}) > 1]


def _described(runs: list[Run], keys: Iterable[str]) -> dict[str, str]:
    """The swept values of a row: settings, and from its command line choices of groups."""
    described = {}
    for key in keys:
        values = {str(run.config.get(key, run.overrides.get(key, "default"))) for run in runs}
        one = values if len(values) == 1 else {SEED.sub("seed-*", value) for value in values}
        described[key] = _short(min(one))
    return described


def _short(value: str) -> str:
    """A value for a row's name: a checkpoint's run, of a long path its beginning and its end."""
    run, _, name = value.rpartition("/checkpoints/")
    value = run or name
    return value if len(value) <= LONGEST else f"{value[:21]}…{value[-7:]}"


def _labels(described: list[dict[str, str]]) -> list[str]:
    """`key=value, ...`, the keys as short as they stay different."""
    keys = list(described[0]) if described else []
    ends = [key.rsplit(".", 1)[-1] for key in keys]
    short = {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}
    return [", ".join(f"{short[key]}={value}" for key, value in row.items()) for row in described]
