"""Writes docs/settings.md: every group and key, from the schemas and their comments."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import MISSING as NEEDED

from roadex.config.paths import config_dir
from roadex.config.schemas import SCHEMAS

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Settings

Every group and key, made from the schemas by `make docs`. A setting is `group.key=value`, a choice
`group=name`; `python -m roadex.train --cfg job` prints a command's settings as they will be used.
"""


def main() -> None:
    """Write the page."""
    commands = [name for name in SCHEMAS if "/" not in name]
    groups = sorted({name.split("/")[0] for name in SCHEMAS if "/" in name})
    parts = [HEAD, *(part for name in commands for part in _section(name, SCHEMAS[name]))]
    for group in groups:
        parts.append(f"## {group}\n\n{_choices(group)}")
        for name, schema in SCHEMAS.items():
            if name.startswith(f"{group}/"):
                parts += _section(name, schema, level=3)
    target = ROOT / "docs" / "settings.md"
    target.write_text("\n".join(parts), encoding="utf-8")


def _choices(group: str) -> str:
    folder = config_dir() / group
    names = sorted(str(p.relative_to(folder).with_suffix("")) for p in folder.rglob("*.yaml"))
    return "Choices: " + ", ".join(f"`{name}`" for name in names) + ".\n"


def _section(name: str, schema: type, level: int = 2) -> Iterator[str]:
    text = inspect.getdoc(schema) or ""
    title = name if "/" in name else f"The command {name}"
    rows = [f"| `{key}` | {value} | {note} |" for key, value, note in _rows(schema)]
    table = "\n".join(["| key | default | |", "| --- | --- | --- |", *rows]) if rows else ""
    yield f"{'#' * level} {title}\n\n{text}\n\n{table}\n"


def _rows(schema: type) -> Iterator[tuple[str, str, str]]:
    comments = _comments(schema)
    for entry in fields(schema):
        default = _default(entry)
        if not is_dataclass(default):
            yield entry.name, _shown(default), _note(comments.get(entry.name, ""), entry)


def _default(entry: Field[Any]) -> Any:
    if entry.default_factory is not MISSING:
        return entry.default_factory()
    return entry.default


def _shown(value: Any) -> str:
    if value == NEEDED or value is MISSING:
        return "needed"
    text = "null" if value is None else str(getattr(value, "value", value))
    return f"`{text[:60]}`" if text else ""


def _note(comment: str, entry: Field[Any]) -> str:
    options = entry.metadata.get("options")
    more = "One of " + ", ".join(f"`{option}`" for option in options) + "." if options else ""
    return " ".join(filter(None, [comment, more])).replace("|", "\\|")


def _comments(schema: type) -> dict[str, str]:
    """The comment above each field, of a schema and of those that it extends."""
    found: dict[str, str] = {}
    for kind in reversed(schema.__mro__):
        if is_dataclass(kind):
            found |= _own_comments(kind)
    return found


def _own_comments(schema: type) -> dict[str, str]:
    source = inspect.getsource(schema)
    lines = source.splitlines()
    found: dict[str, str] = {}
    for node in ast.parse(inspect.cleandoc(source)).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above: list[str] = []
            row = node.lineno - 2
            while row >= 0 and lines[row].strip().startswith("#"):
                above.insert(0, lines[row].strip().lstrip("# "))
                row -= 1
            found[node.target.id] = " ".join(above)
    return found


if __name__ == "__main__":
    main()
