"""Interrupt and damage real trainings in many ways, and record what happened.

    python -m tests.support.fault_table experiments/faults [kills=20] [only=FAULT]

A tiny model trains on tiny tiles on the CPU, in processes of its own. After every fault the same
command is given again where a training should go on, and its weights, history and scores are
compared with those of a training that nothing disturbed. Faults that need rights or programs which
are not there are written down as not tried.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from roadex.files import write_json, write_text
from tests.support.forks import Forks, Training
from tests.support.trainings import outcome, snapshots, wait_for

# The fault, how it was made, and the function that makes it.
FAULTS: list[tuple[str, str, Callable[[Bench], str]]] = []


class Bench:
    """Trainings in one folder, and the outcome of the one that nothing disturbed."""

    def __init__(self, folder: Path, kills: int) -> None:
        self.trainings = Forks(folder)
        self.kills = kills
        started = time.monotonic()
        self.finish("whole")
        self.seconds = time.monotonic() - started
        self.whole = outcome(self.run("whole"))

    def run(self, name: str) -> Path:
        """A run's folder."""
        return self.trainings.path(name)

    def start(self, name: str, *settings: str, **variables: str) -> Training:
        """Start a training and wait until it has saved a state."""
        process = self.trainings.start(f"hydra.run.dir={name}", *settings, **variables)
        before = snapshots(self.run(name))
        wait_for(lambda: snapshots(self.run(name)) != before, process, 300)
        return process

    def finish(self, name: str, *settings: str, **variables: str) -> tuple[int, str]:
        """Train to the end: exit code, and what was said but for the epochs."""
        return self.trainings.run(f"hydra.run.dir={name}", *settings, **variables)

    def again(self, name: str, *settings: str) -> str:
        """Give the same command again: whether it ends with the bits of the undisturbed one."""
        code, output = self.finish(name, *settings)
        if code or outcome(self.run(name)) != self.whole:
            raise AssertionError(f"not continued exactly (exit {code}): {output}")
        from_ = next((w for w in output.splitlines() if w.startswith("continuing at")), "anew")
        return f"the same command: {from_.split(' from')[0]}, the same bits at the end"


def fault(name: str, how: str) -> Callable[[Callable[[Bench], str]], Callable[[Bench], str]]:
    """Put a function into the table."""

    def add(make: Callable[[Bench], str]) -> Callable[[Bench], str]:
        FAULTS.append((name, how, make))
        return make

    return add


def ended(process: Training) -> str:
    """The exit code and the last line of a training that is about to end."""
    code, output = process.end()
    assert "Traceback" not in output, output
    return f"exit {code}: `{last_line(output)}`"


def last_line(output: str) -> str:
    """What a command said last."""
    return output.strip().splitlines()[-1]


@fault("preemption", "SIGTERM amid an epoch")
def sigterm(bench: Bench) -> str:
    process = bench.start("sigterm")
    process.send_signal(signal.SIGTERM)
    return f"{ended(process)}; {bench.again('sigterm')}"


@fault("preemption announced", "SIGUSR1 to the whole process group, with a loading process")
def sigusr1(bench: Bench) -> str:
    process = bench.start("sigusr1", "trainer.num_workers=1")
    for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]:
        each.send_signal(signal.SIGUSR1)
    return f"{ended(process)}; {bench.again('sigusr1')}"


@fault("second signal", "SIGTERM twice within a millisecond")
def twice(bench: Bench) -> str:
    process = bench.start("twice")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    code, _ = process.end()
    return f"exit {code} at once; {bench.again('twice')}"


@fault("damaged checkpoint", "SIGTERM, then one bit of the newest checkpoint turned")
def damaged(bench: Bench) -> str:
    process = bench.start("damaged")
    process.send_signal(signal.SIGTERM)
    process.end()
    newest = snapshots(bench.run("damaged"))[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    said = bench.again("damaged")
    assert list(newest.parent.parent.rglob("*.damaged")) or not newest.exists()
    return f"told as damaged, the one before it used; {said}"


@fault("loss not finite", "optimizer.lr=1e38")
def not_finite(bench: Bench) -> str:
    code, output = bench.finish("nan", "optimizer.lr=1e38")
    kept = [path.name[:23] for path in snapshots(bench.run("nan"))]
    assert list(bench.run("nan").glob("bad_batch_*.npz"))
    return f"exit {code}: `{last_line(output)}`; kept: {', '.join(kept)}"


@fault("loading process killed", "trainer.num_workers=1, `kill -9` to the process that loads crops")
def loader(bench: Bench) -> str:
    process = bench.start("loader", "trainer.num_workers=1")
    victim = psutil.Process(process.pid).children()[0]
    victim.kill()
    code, output = process.end()
    assert code == 0 and outcome(bench.run("loader")) == bench.whole, output
    line_of = next(
        line for line in output.splitlines() if "a process that loads crops died" in line
    )
    return f"went on: `{line_of}`; the same bits at the end"


@fault("file vanished amid an epoch", "all prepared training images renamed after the first step")
def vanished(bench: Bench) -> str:
    process = bench.start("vanished")
    images = list((bench.trainings.folder / "cache").rglob("image.npy"))
    for path in images:
        path.rename(path.with_suffix(".away"))
    said = ended(process)
    for path in images:
        path.with_suffix(".away").rename(path)
    return f"{said}; with the files back, {bench.again('vanished')}"


@fault("full disk", "the run folder on a tmpfs of 8 MB, filled up after the first step")
def full(bench: Bench) -> str:
    with tmpfs(bench.run("small"), "size=8m"):
        process = bench.start("small/run")
        filler = bench.run("small") / "filler"
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 14))
                    file.flush()
            except OSError:
                pass
        said = ended(process)
        filler.unlink()
        return f"{said}; with room again, {bench.again('small/run')}"


@fault("read-only folder", "the run folder on a tmpfs mounted read-only")
def read_only(bench: Bench) -> str:
    with tmpfs(bench.run("ro"), "ro"):
        code, output = bench.finish("ro/run")
    return f"exit {code}: `{last_line(output)}`"


@fault("W&B unreachable", "tracking.mode=online with an address where nothing listens")
def unreachable(bench: Bench) -> str:
    nowhere = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "0" * 40}
    code, output = bench.finish("wandb", "tracking.mode=online", **nowhere)
    assert code == 0 and outcome(bench.run("wandb")) == bench.whole, output
    line_of = [line for line in output.splitlines() if line.startswith("Weights & Biases")]
    return f"went on: `{line_of[0][:160] if line_of else 'no word'}`; the same bits at the end"


@fault("two processes, one folder", "the same command while the first still trains")
def two(bench: Bench) -> str:
    process = bench.start("two")
    code, output = bench.finish("two")
    first, _ = process.end()
    assert first == 0 and outcome(bench.run("two")) == bench.whole
    line = last_line(output).replace(str(bench.trainings.folder), "DIR")
    return f"the second: exit {code}: `{line}`; the first ends with the same bits"


@fault(
    "other settings in a run's folder", "the command of another learning rate, on a finished run"
)
def other(bench: Bench) -> str:
    code, output = bench.finish("whole", "optimizer.lr=0.5")
    assert outcome(bench.run("whole")) == bench.whole
    return f"exit {code}: `{last_line(output)}`; nothing changed"


@fault("finished run", "the same command once more")
def finished(bench: Bench) -> str:
    code, output = bench.finish("whole")
    assert outcome(bench.run("whole")) == bench.whole
    return f"exit {code} without training: `{last_line(output)}`"


@fault(
    "process killed, again and again", "`kill -9` at random moments of one training after another"
)
def killed(bench: Bench) -> str:
    rng, kills, trainings = random.Random(0), 0, 0
    while kills < bench.kills:
        name = f"killed{trainings}"
        kills = kill(bench, name, rng, kills)
        said = bench.again(name)
        trainings += 1
    return f"killed {kills} times in {trainings} trainings; the last: {said}"


def kill(bench: Bench, name: str, rng: random.Random, kills: int) -> int:
    """Start a training again and again and kill it, until it ends or is killed often enough."""
    while kills < bench.kills:
        process = bench.trainings.start(f"hydra.run.dir={name}")
        time.sleep(rng.uniform(0, 0.4 * bench.seconds))
        process.send_signal(signal.SIGKILL)
        if process.end()[0] == 0:
            return kills
        kills += 1
    return kills


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    """A file system in memory, for root on Linux."""
    if os.geteuid() != 0:
        raise PermissionError("not tried: only root may mount a tmpfs")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def main() -> None:
    """Make every fault and write the table."""
    out, *options = sys.argv[1:]
    given = dict(option.split("=", 1) for option in options)
    kept = Path(out) / "faults.json"
    rows: list[dict[str, Any]] = json.loads(kept.read_text()) if "only" in given else []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), int(given.get("kills", 20)))
        for name, how, make in FAULTS:
            if given.get("only", name) != name:
                continue
            try:
                found, held = make(bench), True
            except PermissionError as error:
                found, held = str(error), None
            except (AssertionError, StopIteration, subprocess.SubprocessError) as error:
                found, held = f"{error}", False
            found = found.replace(folder, "DIR")
            print(f"{held!s:<6}{name}: {found}", flush=True)
            rows = [row for row in rows if row["fault"] != name]
            rows.append({"fault": name, "how": how, "what_happened": found, "as_promised": held})
            write_json(kept, rows)
            write_text(Path(out) / "table.md", table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a table in Markdown."""
    words = {True: "yes", False: "NO", None: "not tried"}
    lines = ["| fault | how it was made | what happened | as promised |", "|---|---|---|---|"]
    for row in rows:
        line_of = row["what_happened"].replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {row['fault']} | {row['how']} | {line_of} | {words[row['as_promised']]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
