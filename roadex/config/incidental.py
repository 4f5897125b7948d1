"""Settings that change how a training is run, but neither what it learns nor what it makes."""

from __future__ import annotations

# Dotted keys, or their beginnings.
INCIDENTAL = (
    "resume",
    "dataset.cache",
    "dataset.workers",
    "trainer.num_workers",
    "trainer.scorers",
    "trainer.save_steps",
    "trainer.keep",
    "trainer.extendable",
    "tracking.",
    "sweep.",
)
