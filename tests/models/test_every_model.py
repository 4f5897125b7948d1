"""The contract that every model of the registry keeps."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from roadex.command.help import group_choices
from roadex.config.backbone import TimmBackboneConfig
from roadex.config.loss import LossConfig
from roadex.errors import RoadexError
from roadex.losses.multitask import attribute_labels, multitask_loss
from roadex.models.registry import MODELS, build_model
from tests.support.zoo import PAPER, ZOO, tiny

NAMES = sorted(MODELS)
every_model = pytest.mark.parametrize("name", NAMES)
TASKS = {"segmentation": 2, "connectivity": 5, "orientation": 37, "attributes": 20}
LEARNT = {"attribute_class": 7, "attribute_surface": 2, "attribute_lanes": 4, "attribute_speed": 7}


def image(height: int = 64, width: int = 96, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 3, height, width, generator=generator)


def labels(height: int = 64, width: int = 96, batch: int = 2) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (batch, height, width)
    return {
        task: torch.randint(0, classes, shape, generator=generator, dtype=torch.uint8)
        for task, classes in (TASKS | LEARNT).items()
    }


def loss_of(model: nn.Module, x: Tensor) -> Tensor:
    truth = labels(*x.shape[-2:], len(x))
    logits = model(x)
    total, _ = multitask_loss(
        logits,
        truth["segmentation"],
        truth["connectivity"],
        LossConfig(),
        orientation=truth["orientation"],
        attributes=attribute_labels(truth) if "attributes" in logits else None,
    )
    return total


def full_maps(model: nn.Module, x: Tensor) -> list[Tensor]:
    with torch.inference_mode():
        return [maps[-1].float() for maps in model(x).values()]


def assert_alike(found: Tensor, wanted: Tensor) -> None:
    """Equal but for rounding, which is as large as the largest logit makes it."""
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= 2e-4 * wanted.abs().max().clamp(min=1)


def test_every_model_has_a_configuration_and_is_in_the_zoo():
    assert set(NAMES) <= set(group_choices("model"))
    assert set(NAMES) == set(ZOO)


@every_model
@pytest.mark.parametrize(("height", "width"), [(33, 70), (100, 31)])
def test_takes_one_image_of_any_size(name, height, width):
    model = tiny(name, connectivity=True, attributes=True).eval()
    with torch.inference_mode():
        logits = model(image(height, width, batch=1))
    assert next(iter(logits)) == "segmentation" and {"connectivity", "attributes"} <= set(logits)
    for task, (*lower, full) in logits.items():
        assert full.shape == (1, TASKS[task], height, width)
        for scores in lower:
            factor = round(height / scores.shape[-2])
            shape = (math.ceil(height / factor), math.ceil(width / factor))
            assert factor in (2, 4) and scores.shape == (1, TASKS[task], *shape)


@every_model
@pytest.mark.parametrize("connectivity", [True, False])
def test_every_parameter_gets_a_gradient(name, connectivity):
    torch.manual_seed(0)
    model = tiny(name, connectivity=connectivity, attributes=connectivity)
    loss_of(model, image()).backward()
    assert [key for key, value in model.named_parameters() if value.grad is None] == []
    assert all(value.grad.isfinite().all() for value in model.parameters())


@every_model
def test_answers_alike_every_time_and_whatever_else_is_in_the_batch(name):
    model = tiny(name).eval()
    x = image()
    for first, again, alone in zip(
        full_maps(model, x), full_maps(model, x), full_maps(model, x[:1]), strict=True
    ):
        assert torch.equal(first, again)
        assert_alike(alone, first[:1])


@every_model
def test_half_precision_is_near_and_learns(name):
    torch.manual_seed(0)
    model = tiny(name)
    x = image()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = loss_of(model, x)
    loss.backward()
    assert loss.isfinite() and loss.item() == pytest.approx(loss_of(model, x).item(), rel=0.05)
    assert all(value.grad.isfinite().all() for value in model.parameters())


@every_model
def test_weights_survive_a_file(name, tmp_path):
    model = tiny(name).eval()
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    other = tiny(name).eval()
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    for first, second in zip(full_maps(model, image()), full_maps(other, image()), strict=True):
        assert torch.equal(first, second)


@every_model
def test_learns_a_batch_by_heart(name):
    """A few steps on one batch lower its loss: the maps are wired to the targets they answer."""
    torch.manual_seed(0)
    model = tiny(name)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    x = image(32, 32)
    losses = []
    for _ in range(8):
        loss = loss_of(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-2:]) < 0.97 * losses[0]


@every_model
def test_exported_program_answers_as_the_model(name):
    model = tiny(name).eval()
    x = image(64, 64, batch=1)
    program = torch.export.export(model, (x,)).module()
    for task, maps in program(x).items():
        for ours, theirs in zip(model(x)[task], maps, strict=True):
            assert_alike(theirs, ours)


# Capturing the graph of every model takes a minute, compiling each to C++ another.
CAPTURED = [
    pytest.param(name, marks=() if name in ("linknet", "stacked_multitask") else pytest.mark.slow)
    for name in NAMES
]


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CAPTURED)
def test_compiled_model_answers_as_the_model(name, backend):
    torch.compiler.reset()
    model = tiny(name).eval()
    compiled = torch.compile(copy.deepcopy(model), backend=backend, fullgraph=True)
    x = image(64, 64, batch=1)
    for ours, theirs in zip(full_maps(model, x), full_maps(compiled, x), strict=True):
        assert_alike(theirs, ours)


@pytest.mark.parametrize(
    "name", ["unet", "linknet", "dlinknet", "deeplabv3plus", "segformer", "sam_road"]
)
def test_encoder_decoders_refuse_a_backbone_that_is_not_an_encoder(name):
    with pytest.raises(RoadexError, match=rf"backbone=paper: model={name} .*backbone=timm"):
        build_model(ZOO[name][0], PAPER)


def test_a_plain_transformer_is_refused_by_decoders_with_skips_and_taken_by_the_others():
    """The refusal names exactly those that take it."""
    plain = TimmBackboneConfig(name="test_vit")
    taken, named = set(), set()
    for name, (config, _) in ZOO.items():
        try:
            build_model(config, plain)
            taken.add(name)
        except RoadexError as error:
            assert f"backbone.name=test_vit: model={name} needs maps of several sizes" in str(error)
            named.add(str(error).partition("choose model=")[2].partition(", or another")[0])
    assert {"roadex", "stacked_multitask", "sam_road"} <= taken < set(ZOO)
    assert [set(names.split(", ")) for names in named] == [taken]


@pytest.mark.parametrize("name", ["roadex", "unet", "linknet", "dlinknet"])
def test_what_the_encoder_sees_at_half_of_the_resolution_reaches_the_output(name):
    """Detail that is gone at a quarter: a chequerboard in the encoder's first map, of mean 0."""
    model = build_model(ZOO[name][0], TimmBackboneConfig(name="resnet10t", detail=True)).eval()
    place = "backbone.extractor" if name == "roadex" else "encoder"
    board = 1.0 - 2 * (torch.arange(32)[:, None] + torch.arange(48)).remainder(2)
    assert not functional.avg_pool2d(board[None, None], 2).any()

    def add(encoder: nn.Module, inputs: object, features: list[Tensor]) -> list[Tensor]:
        finest = next(i for i, f in enumerate(features) if f.shape[-2:] == board.shape)
        return [f + 5 * board if i == finest else f for i, f in enumerate(features)]

    x = image(64, 96, batch=1)
    plain = full_maps(model, x)[0]
    handle = model.get_submodule(place).register_forward_hook(add)
    changed = full_maps(model, x)[0]
    handle.remove()
    assert (changed - plain).abs().max() > 1e-3 * plain.abs().max()


def test_dilated_cascade_sees_as_far_as_its_dilations_sum():
    from roadex.models.encoder_decoder import DilatedCascade

    cascade = DilatedCascade(1, [1, 2, 4, 8, 16])
    for value in cascade.parameters():
        nn.init.ones_(value)
    x = torch.zeros(1, 1, 81, 81, requires_grad=True)
    cascade(x)[0, 0, 40, 40].backward()
    seen = x.grad[0, 0].nonzero()
    assert seen.min().item() == 40 - 31 and seen.max().item() == 40 + 31
