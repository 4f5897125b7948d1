"""What the rows of a table are measured against: one row, or for each the one like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from roadex.comparison.rows import Row
from roadex.errors import RoadexError


@dataclass(frozen=True)
class Baselines:
    """The row that each row is measured against.

    Attributes:
        label: what differences are to, in words.
        of: that row by the name of the other; baselines have none.
    """

    label: str
    of: dict[str, Row]

    def first(self, rows: list[Row]) -> list[Row]:
        """The rows, each baseline before those that are measured against it."""
        places = {row.name: place for place, row in enumerate(rows)}
        heads = {row.name: self.of.get(row.name, row).name for row in rows}
        return sorted(rows, key=lambda row: (places[heads[row.name]], heads[row.name] != row.name))


def find_baselines(rows: list[Row], name: str | None) -> Baselines | None:
    """The row of that name, else the only one that has it as a value, else as a part of its name.

    A value of one setting that several rows have stands for the row with it that is otherwise the
    same, for each row.

    Raises:
        RoadexError: no row or several fit.
    """
    if name is None:
        return None
    part = _shared_part(rows, name)
    alike = _alike(rows, part) if part else {}
    if alike:
        return Baselines(f"the row that has {part} and is otherwise the same", alike)
    base = _only(rows, name)
    return Baselines(base.name, {row.name: base for row in rows if row is not base})


def _shared_part(rows: list[Row], value: str) -> str | None:
    """The `setting=value` that several rows have, if it is of one setting."""
    parts = [part for row in rows for part in row.name.split(", ") if _has_value(part, value)]
    return parts[0] if len(parts) > 1 and len(set(parts)) == 1 else None


def _has_value(part: str, value: str) -> bool:
    """Whether `setting=value` is meant; YAML's false and Python's False are one."""
    return part.partition("=")[2].lower() == value.lower()


def _alike(rows: list[Row], part: str) -> dict[str, Row]:
    """For rows without this part of a name, the row that has it in place of their own."""
    with_part = {row.name: row for row in rows if part in row.name.split(", ")}
    others = [row.name for row in rows if row.name not in with_part]
    return {name: with_part[twin] for name in others if (twin := _with(name, part)) in with_part}


def _with(name: str, part: str) -> str:
    """A row's name with another value of one setting."""
    key = part.partition("=")[0]
    return ", ".join(part if own.partition("=")[0] == key else own for own in name.split(", "))


def _only(rows: list[Row], name: str) -> Row:
    rules: tuple[Callable[[Row], bool], ...] = (
        lambda row: row.name == name,
        lambda row: any(_has_value(part, name) for part in row.name.split(", ")),
        lambda row: name in row.name,
    )
    fitting = next((found for rule in rules if (found := list(filter(rule, rows)))), [])
    if len(fitting) != 1:
        count = "several rows" if fitting else "no row"
        choices = "; ".join(row.name for row in rows)
        raise RoadexError(f"baseline={name} fits {count}: choose one of {choices}")
    return fitting[0]
