"""The synthetic world written as the published datasets are laid out."""

from __future__ import annotations

from roadex.data.layouts.base import Layout
from roadex.data.layouts.cityscale import CITYSCALE
from roadex.data.layouts.deepglobe import DEEPGLOBE
from roadex.data.layouts.massachusetts import MASSACHUSETTS
from roadex.data.layouts.roadtracer import ROADTRACER
from roadex.data.layouts.spacenet import SPACENET

LAYOUTS: dict[str, Layout] = {
    "spacenet": SPACENET,
    "deepglobe": DEEPGLOBE,
    "massachusetts": MASSACHUSETTS,
    "cityscale": CITYSCALE,
    "roadtracer": ROADTRACER,
}
