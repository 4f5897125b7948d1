"""`python -m scripts.benchmarks NAME [key=value ...]`, from a checkout."""

from __future__ import annotations

from roadex.benchmark import main
from scripts import benchmarks

if __name__ == "__main__":
    main(benchmarks)
