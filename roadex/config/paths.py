"""Where the Hydra configuration files lie."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def config_dir() -> Path:
    """The folder of the configuration files, as an absolute path.

    `ROADEX_CONF` names another one; else it is the checkout's `conf/`, else the copy in the wheel.
    A path relative to the module would exist in a checkout only.
    """
    if "ROADEX_CONF" in os.environ:
        return Path(os.environ["ROADEX_CONF"]).resolve()
    checkout = PACKAGE.parent / "conf"
    return checkout if (checkout / "train.yaml").is_file() else PACKAGE / "conf"
