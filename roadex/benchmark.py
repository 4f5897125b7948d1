"""`python -m roadex.benchmark NAME`: runs the benchmark roadex/benchmarks/NAME.py."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from dataclasses import MISSING, fields, is_dataclass
from types import ModuleType

from roadex import benchmarks
from roadex.errors import RoadexError

BAD_INPUT = 2


def names(package: ModuleType = benchmarks) -> list[str]:
    """The benchmarks there are."""
    modules = pkgutil.iter_modules(package.__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def help_text(package: ModuleType = benchmarks) -> str:
    """The benchmarks, each with the first line of its module's text."""
    lines = [f"Measure how fast roadex is: {_usage(package)} NAME [key=value ...]", ""]
    for name in names(package):
        text = importlib.import_module(f"{package.__name__}.{name}").__doc__ or ""
        lines.append(f"  {name:<14}{text.strip().splitlines()[0]}")
    return "\n".join(lines)


def subject_help(name: str, package: ModuleType = benchmarks) -> str:
    """The text of a benchmark's module and its settings."""
    module = importlib.import_module(f"{package.__name__}.{name}")
    lines = [
        f"{_usage(package)} {name} [key=value ...]",
        "",
        (module.__doc__ or "").strip(),
    ]
    for kind in vars(module).values():
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__:
            known = [f"  {e.name}={e.default}" for e in fields(kind) if e.default is not MISSING]
            lines += ["", *known] if kind.__name__ == "Settings" else []
    return "\n".join(lines)


def main(package: ModuleType = benchmarks) -> None:
    """Run the benchmark that the first argument names, with the other arguments as overrides."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(help_text(package))
        return
    name, *overrides = arguments
    if name not in names(package):
        known = ", ".join(names(package))
        print(f"roadex: no benchmark '{name}': choose {known}", file=sys.stderr)
        sys.exit(BAD_INPUT)
    if {"-h", "--help"} & set(overrides):
        print(subject_help(name, package))
        return
    try:
        importlib.import_module(f"{package.__name__}.{name}").main(overrides)
    except RoadexError as error:
        print(f"roadex: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)


def _usage(package: ModuleType) -> str:
    own = package is benchmarks
    return f"python -m {'roadex.benchmark' if own else package.__name__}"


if __name__ == "__main__":
    main()
