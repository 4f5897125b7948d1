"""A country on many workers: arithmetic, and a discrete simulation of the same with failures.

python experiments/scale/simulate.py [rates=FILE] writes table.md beside this file.

A mosaic is cut into blocks. Workers take a block each from the scheduler, predict it and write it
to a file; the client moves finished blocks into its store, one at a time. Then blocks are drawn in
the same way, and the client joins the roads and writes the files alone. Mosaics follow each other.
A worker that is lost takes the block it had with it and comes back after a while.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import sys
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
STRIDE, WINDOW = 896, 1024


@dataclass(frozen=True)
class Work:
    """What is to be done, and what it costs.

    Attributes:
        area_km2, pixel_m: of the country.
        mosaic_px, block_px: sides.
        roads_km2: how many roads there are.
        network_px_s: pixels that one worker's model sees in a second.
        source_bytes_px: of compressed images, as they come over the network.
        price_h: of a worker for an hour.
        mean_hours: until a worker is lost; infinite: never.
        back_s: until it works again.
        rates: seconds for each pixel or road, of measure.py.
    """

    rates: dict[str, float]
    area_km2: float = 100_000.0
    pixel_m: float = 0.5
    mosaic_px: int = 100_000
    block_px: int = 8192
    roads_km2: float = 100.0
    network_px_s: float = 1e6
    source_bytes_px: float = 0.5
    price_h: float = 0.05
    mean_hours: float = math.inf
    back_s: float = 120.0

    @property
    def pixels(self) -> float:
        """Of the country."""
        return self.area_km2 * 1e6 / self.pixel_m**2

    @property
    def mosaics(self) -> int:
        """Into which the country is cut."""
        return math.ceil(self.pixels / self.mosaic_px**2)

    @property
    def blocks(self) -> int:
        """Of one mosaic."""
        return math.ceil(self.mosaic_px / self.block_px) ** 2

    @property
    def block_pixels(self) -> float:
        """Of one block."""
        return self.mosaic_px**2 / self.blocks

    @property
    def again(self) -> float:
        """Pixels through the model for each of the images: windows overlap, blocks as well."""
        windows = round(self.block_px / STRIDE)
        return ((windows + 1) * WINDOW / (windows * STRIDE)) ** 2

    @property
    def read_again(self) -> float:
        """How many times each pixel of the images is read."""
        side = round(self.block_px / STRIDE) * STRIDE
        return ((side + WINDOW) / side) ** 2

    @property
    def predict_s(self) -> float:
        """Seconds of a block at a worker: reading, model, blending, packing."""
        each = self.again * (1 / self.network_px_s + self.rates["blend_s_px"])
        return self.block_pixels * (each + self.rates["pack_s_px"])

    @property
    def draw_s(self) -> float:
        """Seconds of a block's roads at a worker."""
        return self.block_pixels * self.rates["draw_s_px"]

    @property
    def store_s(self) -> float:
        """Seconds of a predicted block at the client."""
        return self.block_pixels * self.rates["store_s_px"]

    @property
    def join_s(self) -> float:
        """Seconds of a whole mosaic at the client: roads joined and written, probabilities too."""
        roads = self.mosaic_px**2 * self.pixel_m**2 / 1e6 * self.roads_km2
        each = self.rates["join_s_road"] + self.rates["write_s_road"]
        return roads * each + self.mosaic_px**2 * self.rates["files_s_px"]


def arithmetic(work: Work, workers: int) -> float:
    """Seconds of one mosaic: the slower of workers and client, a last round half full, the rest."""
    lost = 1 + work.back_s / (3600 * work.mean_hours) if math.isfinite(work.mean_hours) else 1.0
    total = work.join_s
    for block_s, client_s in ((work.predict_s, work.store_s), (work.draw_s, 0.0)):
        again = 1 + block_s / 2 / (3600 * work.mean_hours)
        rounds = max(work.blocks / workers, 1.0) + (0.5 if work.blocks > workers > 1 else 0.0)
        total += max(rounds * block_s * again * lost, work.blocks * client_s)
    return total


def simulated(work: Work, workers: int, seed: int = 0) -> float:
    """Seconds of one mosaic, played event by event."""
    rng = random.Random(seed)
    predicted = _phase(work, workers, work.predict_s, work.store_s, rng)
    return predicted + _phase(work, workers, work.draw_s, 0.0, rng) + work.join_s


def _phase(work: Work, workers: int, block_s: float, client_s: float, rng: random.Random) -> float:
    """Seconds until all blocks are done; each takes a tenth more or less, as crowded areas do."""
    left, client_free, done_at = work.blocks, 0.0, 0.0
    free = [(0.0, worker) for worker in range(workers)]
    lost_at = [_lifetime(work, rng) for _ in free]
    heapq.heapify(free)
    while left:
        now, worker = heapq.heappop(free)
        end = now + block_s * max(0.1, rng.gauss(1.0, 0.1))
        if lost_at[worker] < end:
            back = max(now, lost_at[worker]) + work.back_s
            lost_at[worker] = back + _lifetime(work, rng)
            heapq.heappush(free, (back, worker))
            continue
        left -= 1
        heapq.heappush(free, (end, worker))
        client_free = max(client_free, end) + client_s
        done_at = max(done_at, client_free)
    return done_at


def _lifetime(work: Work, rng: random.Random) -> float:
    return rng.expovariate(1 / (3600 * work.mean_hours)) if math.isfinite(work.mean_hours) else 1e18


def shares(work: Work, workers: int) -> str:
    """What takes most of the time of a mosaic."""
    network = work.block_pixels * work.again / work.network_px_s
    parts = {
        "the model": network * work.blocks / workers,
        "reading and blending": (work.predict_s - network) * work.blocks / workers,
        "the client's store": work.store_s * work.blocks,
        "drawing": work.draw_s * work.blocks / workers,
        "the client's joining and writing": work.join_s,
    }
    name = max(parts, key=lambda part: parts[part])
    return f"{name} ({parts[name] / arithmetic(work, workers):.0%})"


def row(name: str, work: Work, workers: int) -> str:
    """One line of the table, for the whole country."""
    counted, played = (f(work, workers) * work.mosaics for f in (arithmetic, simulated))
    traffic = work.pixels * work.read_again * work.source_bytes_px / played
    cost = 1000 * work.price_h * workers * played / 3600 / work.area_km2
    cells = [
        name, str(workers), f"{counted / 3600:.1f}", f"{played / 3600:.1f}",
        f"{counted / played:.2f}",
        f"{work.area_km2 / played * 3600:,.0f}",
        f"{cost:.2f}", f"{traffic / 1e6:,.0f}", shares(work, workers),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def table(rates: dict[str, float]) -> str:
    """All of it, as Markdown."""
    head = [
        "model", "workers", "hours, arithmetic", "hours, simulated", "ratio", "km2/h",
        "for 1,000 km2", "images, MB/s", "most of the time",
    ]  # fmt: skip
    cpu = Work(rates, network_px_s=1 / rates["network_s_px"])
    gpu = replace(cpu, network_px_s=50e6, price_h=3.0)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    kinds = (("this processor's core, measured", cpu), ("a GPU of 50 Mpx/s, assumed", gpu))
    for name, work in kinds:
        lines += [row(name, work, workers) for workers in (1, 8, 64)]
        lost = replace(work, mean_hours=12.0)
        lines.append(row(f"{name}; each worker lost every 12 h", lost, 64))
        lines.append(row(f"{name}; every hour", replace(work, mean_hours=1.0), 64))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table."""
    options = dict(argument.split("=") for argument in sys.argv[1:])
    rates = json.loads(Path(options.get("rates", HERE / "rates.json")).read_text())
    text = table(rates)
    (HERE / "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
