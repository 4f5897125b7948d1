"""Writing a checkpoint as a folder: weights, description and model card."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from jinja2 import Environment, StrictUndefined
from torch import Tensor, nn
from torch.export import Dim

from roadex import __version__
from roadex.config.export import ExportConfig
from roadex.config.schemas import to_plain
from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.files import atomic_write, read_json, write_json, write_text
from roadex.models.contract import task_classes
from roadex.models.encoders import merge
from roadex.models.registry import count_parameters
from roadex.runs import names
from roadex.runs.checkpoint import Checkpoint
from roadex.runs.load import (
    DESCRIPTION,
    FORMAT,
    PAIR_HEAD,
    checkpoint_file,
    file_hash,
    load_checkpoint,
)

LARGEST_BATCH = 64
LARGEST_SIDE = 1024  # in multiples


def export_checkpoint(config: ExportConfig) -> list[Path]:
    """Write the folder; its description comes last, so a folder that has one is complete.

    Raises:
        RoadexError: an unusable checkpoint, a folder that is not empty, or a missing package.
    """
    checkpoint = load_checkpoint(config.checkpoint)
    if not checkpoint.weights:
        raise RoadexError(f"checkpoint={config.checkpoint}: an ONNX model; name the .pt file")
    out = Path(config.out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RoadexError(f"out={out}: is not empty; name a new folder")
    model = checkpoint.build()
    weights = out / f"model.{config.format}"
    with atomic_write(weights) as temporary:
        WRITERS[config.format](model, temporary, len(checkpoint.mean))
    facts = _facts(config, checkpoint, model, weights)
    written = [weights]
    head = getattr(model, "pair_head", None)
    if config.format == "onnx" and head is not None:
        # How many vertices there are, and where, depends on the maps: no graph of fixed shapes.
        with atomic_write(out / PAIR_HEAD) as temporary:
            _write_safetensors(head, temporary)
        facts["pair_head_sha256"] = file_hash(out / PAIR_HEAD)
        written.append(out / PAIR_HEAD)
    write_text(out / "README.md", model_card(facts))
    write_json(out / DESCRIPTION, facts)
    return [*written, out / "README.md", out / DESCRIPTION]


def _facts(
    config: ExportConfig, checkpoint: Checkpoint, model: nn.Module, weights: Path
) -> dict[str, Any]:
    """What the folder says about the model."""
    trained = checkpoint.config
    return {
        "roadex_format": FORMAT,
        "roadex": __version__,
        "format": config.format,
        "weights": weights.name,
        "sha256": file_hash(weights),
        "model": trained.model.name,
        "parameters": count_parameters(model),
        "multiple": _multiple(model),
        "tasks": task_classes(trained.model),
        "threshold": checkpoint.threshold,
        "threshold_from": "validation",
        "chance": checkpoint.chance,
        "gsd_m": trained.dataset.gsd,
        "bands": len(checkpoint.mean),
        "band_numbers": trained.dataset.band_numbers,
        "mean": checkpoint.mean,
        "std": checkpoint.std,
        "contrast": checkpoint.contrast,
        "epoch": checkpoint.epoch,
        "seed": trained.seed,
        "scores": checkpoint.scores,
        "test_scores": _test_scores(Path(config.checkpoint)),
        "scores_on": f"the validation split of {trained.dataset.kind}",
        "data": config.data or f"the training split of dataset={trained.dataset.kind}",
        "licence": config.licence or _licence(trained.dataset.kind),
        "config": to_plain(trained),
    }


def _test_scores(checkpoint: Path) -> dict[str, float]:
    """The test scores of the run that a best checkpoint belongs to; empty if unknown."""
    file = checkpoint_file(checkpoint)
    if file.name != names.BEST:
        return {}
    found = read_json(file.parents[1] / names.METRICS) or {}
    return {
        key.removeprefix("test/"): float(value)
        for key, value in found.items()
        if key.startswith("test/") and isinstance(value, int | float)
    }


def _licence(dataset: str) -> str:
    if dataset == "synthetic":
        return "MIT, as the program that made the training images and trained the model."
    return f"Not stated. The terms of the training data ({dataset}) may bind the weights."


def _multiple(model: nn.Module) -> int:
    return cast(int, model.multiple)


def _write_safetensors(model: nn.Module, path: Path, _: int = 0) -> None:
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise _missing("safetensors") from error
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)


class FullMaps(nn.Module):
    """The maps of full resolution only, as a tuple in the order of the tasks."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Normalised image (B, bands, H, W) to (B, K, H, W) for each task."""
        return tuple(maps[-1] for maps in self.model(image).values())


def _write_onnx(model: nn.Module, path: Path, bands: int) -> None:
    """One file for batches and images of any size that divides by the model's multiple."""
    try:
        import onnx  # noqa: F401 - the exporter needs both, and its own message has many lines
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise _missing("onnx and onnxscript") from error
    model = copy.deepcopy(model)
    merge(model)
    multiple = _multiple(model)
    sides = [multiple * Dim(name, min=1, max=LARGEST_SIDE) for name in ("rows", "columns")]
    shapes = {"image": {0: Dim("batch", min=1, max=LARGEST_BATCH), 2: sides[0], 3: sides[1]}}
    example = torch.zeros(2, bands, 2 * multiple, 3 * multiple)
    with torch.inference_mode():
        tasks = list(model(example))
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            FullMaps(model),
            (example,),
            dynamo=True,
            verbose=False,
            dynamic_shapes=shapes,
            input_names=["image"],
            output_names=tasks,
        )
    assert program is not None
    program.save(path, external_data=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's own log, which is long."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _missing(packages: str) -> RoadexError:
    return RoadexError(f"the export needs {packages}: {install_line('export')}")


WRITERS: dict[str, Callable[[nn.Module, Path, int], None]] = {
    "onnx": _write_onnx,
    "safetensors": _write_safetensors,
}


CARD = """\
# {{ model }}: road networks from satellite images

A model of roadex {{ roadex }}: `{{ model }}`, \
{{ "{:,}".format(parameters) }} parameters, {{ epoch }} epochs, seed {{ seed }}.

## Use

```python
import roadex
network = roadex.load("THIS_FOLDER").predict("city.tif")
```

From other programs: `{{ weights }}`\
{% if format == "onnx" %} takes `image`, float32 (batch, {{ bands }}, rows, columns), sides that \
divide by {{ multiple }},\
{% else %} holds the weights, `roadex.json` the settings from which the model is built. It takes \
images\
{% endif %} of {{ gsd_m }} m per pixel, \
{% if bands != 3 %}of {{ bands }} bands (numbers {{ band_numbers | join(", ") }} of the training's \
files), {% endif %}\
normalised as `({{ "RGB" if bands == 3 else "band" }} / 255 - mean) / std` with mean \
{{ mean | map("round", 4) | join(", ") }} and std {{ std | map("round", 4) | join(", ") }}. It \
gives logits at the image's resolution; a softmax over the classes gives probabilities.

| task | classes |
|---|---|
{% for task, classes in tasks.items() -%}
| {{ task }} | {{ classes }} |
{% endfor %}
Road is where class 1 of the segmentation reaches **{{ threshold | round(4) }}**, chosen on the \
{{ threshold_from }} split. Images of more than 8 bits are brought to 8 as in training \
(`contrast` in `roadex.json`).

{% if test_scores -%}
## Scores on the test split

| score | |
|---|---|
{% for name, value in test_scores.items() -%}
| {{ name }} | {{ value | round(4) }} |
{% endfor %}
{% endif -%}
## Scores on the validation split

On {{ scores_on }}, by which the threshold was chosen, so they are a little too good.

| score | |
|---|---|
{% for name, value in scores.items() if value is number -%}
| {{ name }} | {{ value | round(4) }} |
{% endfor %}
## Data and licence

Trained on {{ data }}. Other sensors, seasons, regions or pixel sizes may give worse results.

Licence of the weights: {{ licence }}

SHA-256 of `{{ weights }}`: `{{ sha256 }}`
"""


def model_card(facts: dict[str, Any]) -> str:
    """The card of a model described by `facts`, the content of roadex.json."""
    text = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(CARD)
    return text.render(**facts)
