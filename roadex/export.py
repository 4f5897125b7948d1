"""The command `python -m roadex.export`."""

from __future__ import annotations

import logging

from roadex.command.frame import command
from roadex.config.export import ExportConfig

log = logging.getLogger(__name__)


@command("export")
def main(config: ExportConfig) -> None:
    """Write a trained model, with everything needed to use it, for other programs.

    The folder holds the weights (model.onnx or model.safetensors), roadex.json (settings,
    threshold, pixel size, normalisation, scores, notes on data and licence) and README.md, the
    model card. `roadex.load(FOLDER)`, and checkpoint=FOLDER of the commands, read it back.

    Examples:
      python -m roadex.export checkpoint=best.pt format=onnx out=DIR
      python -m roadex.export checkpoint=best.pt format=safetensors out=DIR licence="CC BY-SA 4.0"
    """
    from roadex.runs.export import export_checkpoint  # torch takes seconds, --help should not

    written = export_checkpoint(config)
    log.info("%s: %s", config.out, ", ".join(sorted(path.name for path in written)))


if __name__ == "__main__":
    main()
