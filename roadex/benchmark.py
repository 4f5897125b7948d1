"""`python -m roadex.benchmark NAME`: runs the benchmark roadex/benchmarks/NAME.py."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from dataclasses import MISSING, fields, is_dataclass

from roadex import benchmarks
from roadex.errors import RoadexError

BAD_INPUT = 2
USAGE = "python -m roadex.benchmark NAME [key=value ...]"


def names() -> list[str]:
    """The benchmarks there are."""
    modules = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def help_text() -> str:
    """The benchmarks, each with the first line of its module's text."""
    lines = [f"Measure how fast roadex is: {USAGE}", ""]
    for name in names():
        text = importlib.import_module(f"roadex.benchmarks.{name}").__doc__ or ""
        lines.append(f"  {name:<14}{text.strip().splitlines()[0]}")
    return "\n".join(lines)


def subject_help(name: str) -> str:
    """The text of a benchmark's module and its settings."""
    module = importlib.import_module(f"roadex.benchmarks.{name}")
    lines = [
        f"python -m roadex.benchmark {name} [key=value ...]",
        "",
        (module.__doc__ or "").strip(),
    ]
    for kind in vars(module).values():
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__:
            known = [f"  {e.name}={e.default}" for e in fields(kind) if e.default is not MISSING]
            lines += ["", *known] if kind.__name__ == "Settings" else []
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark that the first argument names, with the other arguments as overrides."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(help_text())
        return
    name, *overrides = arguments
    if name not in names():
        print(f"roadex: no benchmark '{name}': choose {', '.join(names())}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    if {"-h", "--help"} & set(overrides):
        print(subject_help(name))
        return
    try:
        importlib.import_module(f"roadex.benchmarks.{name}").main(overrides)
    except RoadexError as error:
        print(f"roadex: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
