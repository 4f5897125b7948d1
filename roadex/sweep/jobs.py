"""The trainings of a sweep and their folders, from the overrides of its command line."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from roadex.config.names import INCIDENTAL
from roadex.errors import RoadexError

# Longer parts of a folder's name are cut, and distinguished by a digest.
LONGEST_VALUE, LONGEST_ROW = 40, 120
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
SINGLE = "single"


@dataclass(frozen=True)
class Job:
    """One training of a sweep.

    Attributes:
        overrides: all of its settings, one value each.
        varied: those that the sweep varies, except the seed.
        row: a folder name for `varied`, whatever their order.
    """

    overrides: tuple[str, ...]
    varied: tuple[str, ...]
    row: str
    seed: str

    @property
    def folder(self) -> str:
        """The run folder below the sweep's; it depends on neither order nor number of the jobs."""
        return f"{self.row}/seed-{self.seed}"

    @property
    def title(self) -> str:
        """The job's name for people."""
        return " ".join([*self.varied, f"seed={self.seed}"])


def expand(arguments: Iterable[str], seed: int, parser: OverridesParser | None = None) -> list[Job]:
    """Every combination of the swept values; all settings of one seed come before the next seed's.

    Args:
        arguments: overrides as on the command line; the last one of a key counts.
        seed: that of jobs whose overrides name none.
        parser: one that knows the configuration's groups.

    Raises:
        RoadexError: a range without single values, such as interval(0, 1).
    """
    parsed = (parser or OverridesParser.create()).parse_overrides(list(arguments))
    last = {override.get_key_element(): override for override in parsed}
    values = {key: _values(override) for key, override in last.items()}
    swept = {key for key, override in last.items() if override.is_sweep_override()}
    jobs = [_job(choice, swept, seed) for choice in itertools.product(*values.values())]
    unique = list(dict.fromkeys(jobs))
    seeds = list(dict.fromkeys(job.seed for job in unique))
    return sorted(unique, key=lambda job: seeds.index(job.seed))


def _values(override: Override) -> list[str]:
    key = override.get_key_element()
    if not override.is_sweep_override():
        value = override.get_value_element_as_str()
        return [key if override.is_delete() else f"{key}={value}"]
    if not override.is_discrete_sweep():
        raise RoadexError(f"{override.input_line}: list the values, as in {key}=1,2,3")
    values = [f"{key}={value}" for value in override.sweep_string_iterator()]
    if not values:
        raise RoadexError(f"{override.input_line}: it has no values: list them, {key}=1,2,3")
    return values


def _job(choice: Sequence[str], swept: set[str], seed: int) -> Job:
    pairs = [line.partition("=")[::2] for line in choice]
    varied = sorted(f"{key}={value}" for key, value in pairs if key in swept - {"seed"})
    own_seed = next((value for key, value in pairs if key == "seed"), str(seed))
    return Job(tuple(choice), tuple(varied), row_name(varied), own_seed)


def apart(job: Job) -> Job:
    """The job in a folder that its fixed settings name, but for those that change no result."""
    keys = ("seed", *INCIDENTAL)
    fixed = sorted(o for o in job.overrides if not o.lstrip("+").startswith(keys))
    return replace(job, row=f"{job.row}-{_digest('+'.join(fixed))}")


def row_name(varied: Sequence[str]) -> str:
    """A short folder name for settings, safe in paths, shells and Hydra's overrides.

    >>> row_name(["model.global_aware=none", "model.stacks=2"])
    'global_aware-none+stacks-2'
    """
    pairs = [line.partition("=")[::2] for line in varied]
    short = [key.rpartition(".")[2] for key, _ in pairs]
    names = [
        UNSAFE.sub("_", key.lstrip("+") if short.count(last) > 1 else last)
        for (key, _), last in zip(pairs, short, strict=True)
    ]
    values = [_safe(value, LONGEST_VALUE) for _, value in pairs]
    parts = [f"{name}-{value}" for name, value in zip(names, values, strict=True)]
    return _cut("+".join(parts), LONGEST_ROW, "+".join(varied)) or SINGLE


def _safe(value: str, longest: int) -> str:
    """A value as part of a file name; a digest distinguishes values that had to be changed."""
    plain = UNSAFE.sub("_", value).strip("_")
    if plain == value:
        return _cut(plain, longest, value)
    return f"{plain[:longest]}-{_digest(value)}"


def _cut(text: str, longest: int, source: str) -> str:
    return text if len(text) <= longest else f"{text[:longest]}-{_digest(source)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
