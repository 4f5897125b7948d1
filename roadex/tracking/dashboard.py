"""A workspace and a report of Weights & Biases as code.

The keys are those that trainings log: `loss/TASK/SCALE` and `validation/SCORE` at each epoch,
`test/SCORE` in the summary, `test/graphs` and `test/overlays` of single tiles; and the columns
`varied/KEY` of a sweep's runs (roadex/tracking/wandb_tracker.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roadex.config.dashboard import DashboardConfig
from roadex.config.labels import ATTRIBUTE, ATTRIBUTE_NAMES
from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.files import write_text

try:
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as workspaces
except ImportError as error:
    raise RoadexError(f"a dashboard needs wandb-workspaces: {install_line('dashboard')}") from error

_ATTRIBUTES = tuple(f"{ATTRIBUTE}{name}" for name in ATTRIBUTE_NAMES)
TASKS = ("segmentation", "connectivity", "orientation", *_ATTRIBUTES)
CURVES = ("f1", "iou", "connectivity_iou", "apls", "class_macro_f1", "speed_within_10_kph")
_SPREAD: dict[str, Any] = {
    "aggregate": True,
    "groupby_aggfunc": "mean",
    "groupby_rangefunc": "stddev",
}


@dataclass(frozen=True)
class Part:
    """Panels under one heading."""

    title: str
    panels: list[Any]


def make_dashboard(config: DashboardConfig) -> list[str]:
    """Write the definitions, and save them in W&B if `upload` is set; returns what was made.

    Raises:
        RoadexError: there is no account, or W&B refuses.
    """
    made = []
    if config.upload:
        made = _save(build_workspace(config), build_report(config))
    if config.out is not None:
        folder = Path(config.out)
        folder.mkdir(parents=True, exist_ok=True)
        for name, built in _definitions(config).items():
            write_text(folder / name, built._to_model().model_dump_json(by_alias=True, indent=1))
            made.append(f"{folder / name}")
    if not made:
        raise RoadexError("upload=false only writes files: add out=DIR")
    return made


def build_workspace(config: DashboardConfig) -> workspaces.Workspace:
    """The workspace, a section for each part."""
    sections = [
        workspaces.Section(name=part.title, panels=part.panels, is_open=True)
        for part in parts(config)
    ]
    grouping: list[Any] = [workspaces.Config(f"varied/{key}") for key in config.varied]
    return workspaces.Workspace(
        entity=config.entity or "",
        project=config.project,
        name=config.title,
        sections=sections,
        runset_settings=workspaces.RunsetSettings(groupby=grouping),
    )


def build_report(config: DashboardConfig) -> reports.Report:
    """The report, a heading and a grid for each part."""
    blocks: list[Any] = [reports.TableOfContents()]
    for part in parts(config):
        # A set of runs without a project takes that of the report.
        runs = reports.Runset(groupby=[f"config.varied/{key}" for key in config.varied])
        blocks += [
            reports.H2(part.title),
            reports.PanelGrid(runsets=[runs], panels=part.panels),
        ]
    return reports.Report(
        project=config.project, entity=config.entity or "", title=config.title, blocks=blocks
    )


def parts(config: DashboardConfig) -> list[Part]:
    """What both show, from losses to tiles."""
    return [
        Part("Losses by task and stack", _losses()),
        Part("Validation", _curves()),
        Part("Test scores", _scores(config)),
        *([Part("Ablation", _ablation(config))] if config.varied else []),
        Part("Tiles of the test split", _tiles()),
    ]


def _losses() -> list[Any]:
    total = reports.LinePlot(title="loss", x="epoch", y=["loss/total"], **_SPREAD)
    by_task = [
        reports.LinePlot(title=f"loss of {task}", x="epoch", metric_regex=f"^loss/{task}/")
        for task in TASKS
    ]
    return [total, *by_task]


def _curves() -> list[Any]:
    return [
        reports.LinePlot(title=name, x="epoch", y=[f"validation/{name}"], **_SPREAD)
        for name in CURVES
    ]


def _scores(config: DashboardConfig) -> list[Any]:
    return [
        reports.BarPlot(title=name, metrics=[_score(name)], orientation="v", **_SPREAD)
        for name in config.scores
    ]


def _ablation(config: DashboardConfig) -> list[Any]:
    """Each score over each varied setting, and all of them in one plot."""
    scatter = [
        reports.ScatterPlot(title=f"{name} by {key}", x=_varied(key), y=_score(name))
        for key in config.varied
        for name in config.scores
    ]
    column = reports.ParallelCoordinatesPlotColumn
    columns = [column(_varied(key), display_name=key) for key in config.varied]
    columns += [column(_score(name), display_name=name) for name in config.scores]
    return [*scatter, reports.ParallelCoordinatesPlot(title="settings and scores", columns=columns)]


def _tiles() -> list[Any]:
    return [
        reports.WeavePanelSummaryTable(table_name="test/graphs"),
        reports.MediaBrowser(title="overlays", media_keys=["test/overlays"]),
    ]


def _score(name: str) -> reports.SummaryMetric:
    return reports.SummaryMetric(f"test/{name}")


def _varied(key: str) -> reports.Config:
    return reports.Config(f"varied/{key}")


def _definitions(config: DashboardConfig) -> dict[str, Any]:
    return {"workspace.json": build_workspace(config), "report.json": build_report(config)}


def _save(workspace: workspaces.Workspace, report: reports.Report) -> list[str]:
    import wandb

    try:
        if not workspace.entity:
            workspace.entity = report.entity = wandb.Api().default_entity or ""
        return [f"workspace {workspace.save().url}", f"report {report.save().url}"]
    except Exception as error:  # no account, no connection, no such team: W&B has many kinds
        reason = str(error).strip().splitlines()[0]
        raise RoadexError(
            f"Weights & Biases refuses ({reason}): run `wandb login`, or add upload=false out=DIR"
        ) from error
