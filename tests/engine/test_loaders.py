"""Loading processes of a real training that die."""

from __future__ import annotations

from contextlib import suppress

import psutil

from tests.support.trainings import Trainings, wait_for


def test_a_training_whose_loading_process_was_killed_goes_on_and_ends(tmp_path):
    trainings = Trainings(tmp_path)
    process = trainings.start("trainer.num_workers=1", "trainer.epochs=6", "hydra.run.dir=run")

    def loaders() -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children()
            return [child for child in children if child.name().startswith("pt_data")]
        return []

    wait_for(loaders, process)
    loaders()[0].kill()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "a process that loads crops died" in output
