"""Which parts of an encoder learn, and how fast: seen in the weights after real steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import timm
import torch
from safetensors.torch import save_file

from roadex.config.backbone import TimmBackboneConfig
from roadex.config.export import ExportConfig
from roadex.data.prepared import PreparedDataset
from roadex.engine.learner import Learner, build_learner
from roadex.errors import RoadexError
from roadex.models.backbones.pyramid import TimmBackbone, create_extractor
from roadex.models.backbones.weights import input_normalization
from roadex.models.encoders import encoder_of, layer_numbers
from roadex.prediction.pipeline import load_model
from roadex.runs.checkpoint import save_checkpoint
from roadex.runs.export import export_checkpoint
from roadex.runs.load import load_checkpoint
from tests.config.test_composition import train_config
from tests.engine.test_learner import CPU, batch, weights

UNET = ("model=unet", "model.width=4", "backbone=timm", "backbone.name=resnet10t")
LORA = (
    "model.width=16", "model.blocks=1", "model.head_width=8", "model.depth=2", "model.stacks=1",
    "backbone=timm", "backbone.name=test_vit",
)  # fmt: skip
PLACE = "backbone.extractor."


def tuned(*settings: str) -> Learner:
    torch.manual_seed(0)
    dataset = PreparedDataset(Path(), {}, 0.5, 5, [0.4] * 3, [0.2] * 3)
    return build_learner(train_config(*settings), dataset, CPU, epoch_steps=10)


def moved(subject: Learner, steps: int) -> set[str]:
    before = weights(subject)
    subject.train(1)
    for _ in range(steps):
        subject.learn(batch())
    after = subject.model.state_dict()
    return {name for name, value in after.items() if not value.equal(before[name])}


@pytest.mark.parametrize("setting", ["optimizer.encoder_lr=0.1", "optimizer.layer_decay=0.5"])
def test_the_encoder_moves_as_much_slower_as_the_settings_say(setting):
    """A first step of sgd is the learning rate times the gradient, which is the same in both."""
    plain = ("optimizer=sgd", "optimizer.lr=1", "optimizer.weight_decay=0")
    steps = []
    for extra in ((), (setting,)):
        subject = tuned(*UNET, *plain, *extra)
        before = weights(subject)
        subject.train(1)
        subject.learn(batch())
        after = subject.model.named_parameters()
        steps.append({name: (value - before[name]).norm().item() for name, value in after})
    place, encoder = encoder_of(subject.model)
    layers = {f"{place}.{name}": layer for name, layer in layer_numbers(encoder).items()}
    last = max(layers.values())
    assert last > 3
    for name, whole in steps[0].items():
        slower = 0.1 if "encoder_lr" in setting else 0.5 ** (last - layers.get(name, last))
        factor = slower if name in layers else 1.0
        assert steps[1][name] == pytest.approx(factor * whole, rel=0.02, abs=1e-6), name


def test_of_an_adapted_transformer_the_changes_learn_alone_in_a_continued_training_too():
    subject = tuned(*LORA, "backbone.lora_rank=2", "optimizer=adamw")
    changed = moved(subject, steps=2)
    own = {name for name in changed if name.startswith(PLACE)}
    changes = {n for n in subject.model.state_dict() if n.endswith((".0.up", ".0.down"))}
    assert own == changes and len(changes) >= 4
    assert changed - own == {n for n in subject.model.state_dict() if not n.startswith(PLACE)}
    again = tuned(*LORA, "backbone.lora_rank=2", "optimizer=adamw")
    again.restore(subject.state())
    assert {n for n in moved(again, steps=1) if n.startswith(PLACE)} == changes


def test_an_adapted_transformer_begins_as_it_was_and_comes_back_from_its_checkpoint(tmp_path):
    plain, adapted = tuned(*LORA), tuned(*LORA, "backbone.lora_rank=2", "optimizer=adamw")
    image = torch.randn(1, 3, 64, 64)
    theirs = dict(plain.model.state_dict())
    for name, value in adapted.model.state_dict().items():
        if "original" in name or name in theirs:
            value.copy_(theirs[name.replace("parametrizations.weight.original", "weight")])
    outputs = [s.model.eval()(image)["segmentation"][-1] for s in (plain, adapted)]
    torch.testing.assert_close(*outputs)
    moved(adapted, steps=2)
    save_checkpoint(tmp_path / "best.pt", adapted.checkpoint(0.5, 1, {}))
    loaded = load_checkpoint(tmp_path / "best.pt").build()
    own = adapted.model.eval()(image)["segmentation"][-1]
    torch.testing.assert_close(loaded(image)["segmentation"][-1], own)
    assert not torch.allclose(own, outputs[0], atol=1e-4)


def test_a_network_without_attention_cannot_be_adapted():
    with pytest.raises(RoadexError, match=r"backbone.lora_rank=4: .*resnet10t has no attention"):
        tuned(*UNET, "backbone.lora_rank=4")


@pytest.mark.parametrize("kind", ["safetensors", "onnx"])
def test_an_adapted_transformer_is_exported_whole(kind, tmp_path):
    small = ("model=sam_road", "model.width=16", "model.paths=false", *LORA[-2:])
    adapted = tuned(*small, "backbone.lora_rank=2", "optimizer=adamw")
    moved(adapted, steps=2)
    source = tmp_path / "best.pt"
    save_checkpoint(source, adapted.checkpoint(0.5, 1, {}))
    export_checkpoint(ExportConfig(str(source), str(tmp_path / "card"), format=kind))
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    first, second = (
        load_model(path, device="cpu").predictor(image) for path in (source, tmp_path / "card")
    )
    np.testing.assert_allclose(second["segmentation"], first["segmentation"], atol=5e-4)
    if kind == "onnx":
        names = [one.name for one in onnx.load(tmp_path / "card" / "model.onnx").graph.initializer]
        assert names and not [name for name in names if "parametrizations" in name]


@pytest.mark.parametrize("ranks", [(2, 0), (0, 2), (2, 4), (2, 2)])
def test_a_training_starts_from_weights_with_other_changes_or_none(ranks, tmp_path, caplog):
    caplog.set_level("INFO")
    theirs = tuned(*LORA, f"backbone.lora_rank={ranks[0]}", "optimizer=adamw")
    moved(theirs, steps=2)
    save_checkpoint(tmp_path / "best.pt", theirs.checkpoint(0.5, 1, {}))
    settings = (f"backbone.lora_rank={ranks[1]}", f"init={tmp_path / 'best.pt'}")
    started = tuned(*LORA, *settings, "optimizer=adamw")
    image = torch.randn(1, 3, 64, 64)
    outputs = [s.model.eval()(image)["segmentation"][-1] for s in (theirs, started)]
    torch.testing.assert_close(*outputs, atol=1e-4, rtol=1e-4)
    told = [line for line in caplog.messages if line.startswith("init=")]
    assert len(told) == (ranks[0] != ranks[1])
    assert not told or ("are merged" in told[0]) == (ranks[0] > 0)
    assert not told or ("start at zero" in told[0]) == (ranks[1] > 0)


@pytest.mark.parametrize("rank", [0, 2])
def test_a_block_of_a_transformer_is_one_layer_with_all_that_is_in_it(rank):
    encoder = create_extractor(TimmBackboneConfig(name="vit_tiny_patch16_224", lora_rank=rank))
    layers = layer_numbers(encoder)
    for block in range(12):
        inside = {n: k for n, k in layers.items() if f"blocks.{block}." in n}
        assert len(inside) >= 12 and set(inside.values()) == {block + 1}


@pytest.mark.slow
def test_an_adapted_transformer_learns_the_same_compiled():
    losses = []
    for compiled in ("false", "true"):
        subject = tuned(
            *LORA, "backbone.lora_rank=2", "optimizer=adamw", f"trainer.compile={compiled}"
        )
        subject.train(1)
        losses.append([subject.learn(batch())["total"].item() for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3) and losses[0][2] != losses[0][0]


def test_satmae_starts_from_the_users_file_with_the_colours_of_its_training(tmp_path):
    """As its authors publish it: below a key, with the decoder of its training beside."""
    file, sister = tmp_path / "satmae.pth", "vit_tiny_patch16_224"
    original = timm.create_model(sister, num_classes=0).state_dict()
    decoder = {"decoder_embed.weight": torch.zeros(4, 4), "mask_token": torch.zeros(1, 1, 4)}
    torch.save({"model": {**original, **decoder}, "epoch": 799}, file)
    config = train_config("backbone=satmae", f"backbone.weights={file}").backbone
    assert config.name == "vit_large_patch16_224"
    assert input_normalization(config) == ([0.4182, 0.4215, 0.3991], [0.2877, 0.2754, 0.2764])
    backbone = TimmBackbone(replace(config, name=sister), 8)
    assert backbone(torch.zeros(1, 3, 32, 48)).shape == (1, 8, 8, 12)
    own = {name.split("extractor.")[-1]: value for name, value in backbone.state_dict().items()}
    (place,) = (name for name in own if name.endswith("blocks.3.mlp.fc1.weight"))
    assert own[place].equal(original["blocks.3.mlp.fc1.weight"])


def test_half_of_a_normalisation_is_refused():
    with pytest.raises(RoadexError, match=r"backbone.mean and backbone.std: set both or neither"):
        train_config("backbone=timm", "backbone.mean=[0.5,0.5,0.5]")
    with pytest.raises(RoadexError, match="a value each for red, green and blue"):
        train_config("backbone=timm", "backbone.mean=[]", "backbone.std=[]")
    for std in ("[0.5,0.5]", "[0.5,0,0.5]"):
        with pytest.raises(RoadexError, match="a value each for red, green and blue"):
            train_config("backbone=timm", "backbone.mean=[0.5,0.5,0.5]", f"backbone.std={std}")


def test_dinov3_starts_from_the_users_file_and_learns_by_changes_alone(tmp_path):
    """The choice itself, with its smallest variant in place of 300 million parameters."""
    file, sister = tmp_path / "dinov3.safetensors", "vit_small_patch16_dinov3"
    original = timm.create_model(sister, num_classes=0).state_dict()
    save_file({name: value.contiguous() for name, value in original.items()}, file)
    config = train_config("backbone=dinov3_sat", f"backbone.weights={file}")
    assert config.backbone.name == "vit_large_patch16_dinov3.sat493m"
    backbone = TimmBackbone(replace(config.backbone, name=sister), 8)
    assert backbone(torch.zeros(1, 3, 32, 48)).shape == (1, 8, 8, 12)
    own = backbone.extractor.state_dict()
    place = next(
        name for name in own if name.endswith("blocks.3.attn.qkv.parametrizations.weight.original")
    )
    assert own[place].equal(original["blocks.3.attn.qkv.weight"])
    learning = {name for name, p in backbone.extractor.named_parameters() if p.requires_grad}
    assert learning == {name for name in own if name.endswith((".0.up", ".0.down"))}


def larger_network(file: Path, name: str, *prefixes: str) -> dict[str, torch.Tensor]:
    """Write an encoder's random tensors below prefixes, with another part; give the tensors."""
    own = timm.create_model(name, num_classes=0).state_dict()
    below = {prefix + key: value for prefix in prefixes for key, value in own.items()}
    torch.save({**below, "fpn.layer.weight": torch.zeros(1)}, file)
    return own


def test_an_encoder_of_satellite_images_is_found_in_the_larger_network_of_its_file(tmp_path):
    """The choice itself, with its smallest relative in place of 24 million parameters."""
    file = tmp_path / "satlas.pth"
    original = larger_network(file, "resnet10t", "backbone.resnet.")
    config = train_config("backbone=satlas_resnet50", f"backbone.weights={file}").backbone
    assert config.name == "resnet50"
    assert input_normalization(config) == ([0.0] * 3, [1.0] * 3)
    own = TimmBackbone(replace(config, name="resnet10t"), 8).extractor.state_dict()
    assert len(own) > 50 and all(value.equal(original[name]) for name, value in own.items())


def test_a_file_of_two_encoders_is_not_guessed_from(tmp_path):
    file = tmp_path / "moco.pth"
    larger_network(file, "resnet10t", "base.", "momentum.")
    config = train_config(*UNET[2:], f"backbone.weights={file}").backbone
    with pytest.raises(RoadexError, match=r"several encoders \(base\., momentum\.\)"):
        TimmBackbone(config, 8)
