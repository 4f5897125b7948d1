"""`python -m roadex.benchmark NAME`: runs the benchmark roadex/benchmark/NAME.py."""

from __future__ import annotations

import importlib
import pkgutil
import sys

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
        text = importlib.import_module(f"roadex.benchmark.{name}").__doc__ or ""
        lines.append(f"  {name:<10}{text.strip().splitlines()[0]}")
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
    try:
        importlib.import_module(f"roadex.benchmark.{name}").main(overrides)
    except RoadexError as error:
        print(f"roadex: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
