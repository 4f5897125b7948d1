"""Schema of the group `loss`."""

from __future__ import annotations

from dataclasses import dataclass

from roadex.config.limits import bounded


@dataclass
class LossConfig:
    """Weights of the loss terms; the published loss has every weight 1 and no cross entropy."""

    segmentation: float = bounded(1.0, least=0)
    connectivity: float = bounded(1.0, least=0)
    orientation: float = bounded(1.0, least=0)
    # Of each attribute of roads, with model.attributes.
    attributes: float = bounded(0.25, least=0)
    # Of the classification of pairs of vertices, with model.paths.
    pairs: float = bounded(1.0, least=0)
    # The share of each batch's crops whose pairs are classified, others in the next step, so that
    # the head takes less of a step; all are with trainer.only_pairs and with model=sam_road.
    pair_share: float = bounded(1.0, above=0, most=1)
    # Weight of the full-resolution term, and of each term of lower resolution.
    full: float = bounded(1.0, least=0)
    intermediate: float = bounded(1.0, least=0)
    # The two parts of the segmentation term.
    soft_iou: float = bounded(1.0, least=0)
    cross_entropy: float = bounded(0.0, least=0)
    # Soft clDice of the full-resolution road, with `cldice_openings` openings.
    cldice: float = bounded(0.0, least=0)
    cldice_openings: int = bounded(5, least=1, most=50)
    # An additional cross entropy of the road at dead ends and junctions.
    nodes: float = bounded(0.0, least=0)
    # Of the full-resolution road, as segmentation-models-pytorch has them.
    dice: float = bounded(0.0, least=0)
    focal: float = bounded(0.0, least=0)
    focal_gamma: float = bounded(2.0, least=0)
    tversky: float = bounded(0.0, least=0)
    # The weight of false road; that of missed road is the rest to 1.
    tversky_alpha: float = bounded(0.3, least=0, most=1)
    lovasz: float = bounded(0.0, least=0)
