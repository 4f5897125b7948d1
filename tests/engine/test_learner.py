"""Each speed setting does what it says, and a bad loss never reaches the weights."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from roadex.data.prepared import PreparedDataset
from roadex.engine.learner import Learner, build_learner
from roadex.engine.optimization import NotFiniteError
from roadex.engine.progress import LossSums
from roadex.errors import RoadexError
from tests.config.test_composition import train_config

SMALL = (
    "model.width=16", "model.blocks=1", "model.head_width=8", "model.depth=2", "model.stacks=1",
    "optimizer=adamw", "optimizer.lr=1e-3", "trainer.batch_size=4",
)  # fmt: skip
CPU = torch.device("cpu")


def learner(*settings: str, seed: int = 0) -> Learner:
    torch.manual_seed(seed)
    dataset = PreparedDataset(Path(), {}, 0.5, 5, [0.4] * 3, [0.2] * 3)
    return build_learner(train_config(*SMALL, *settings), dataset, CPU, epoch_steps=10)


def batch(seed: int = 0, samples: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def draw(high: int, *shape: int) -> torch.Tensor:
        return torch.randint(0, high, (samples, *shape), dtype=torch.uint8, generator=generator)

    return {"image": draw(256, 3, 32, 32), "mask": draw(2, 32, 32), "connectivity": draw(5, 32, 32)}


def weights(found: Learner) -> dict[str, torch.Tensor]:
    return copy.deepcopy(found.model.state_dict())


def gradients(found: Learner) -> dict[str, torch.Tensor]:
    """Of one step, caught before the optimiser lets them go."""
    caught: dict[str, torch.Tensor] = {}

    def catch(*_) -> None:
        caught.update({n: p.grad.clone() for n, p in found.model.named_parameters()})

    found.optimizer_step.optimizer.register_step_pre_hook(catch)
    found.learn(batch())
    return caught


def assert_alike(one, other, **tolerance) -> None:
    for name, value in one.items():
        torch.testing.assert_close(
            value, other[name], msg=lambda m, n=name: f"{n}: {m}", **tolerance
        )


def test_pieces_give_the_gradients_of_the_whole_batch_with_fixed_norms():
    """Three unequal pieces of a batch, with batch norms that do not look at it."""
    found = []
    for settings in ([], ["trainer.accumulate=3"]):
        subject = learner(*settings)
        subject.model.eval()
        found.append(gradients(subject))
    assert_alike(found[0], found[1], rtol=1e-4, atol=1e-6)


def test_batch_norms_see_a_piece_at_a_time():
    """What differs: statistics follow each piece, so that they move once for each."""
    subject = learner("trainer.accumulate=2")
    subject.learn(batch())
    norm = next(m for m in subject.model.modules() if isinstance(m, nn.BatchNorm2d))
    assert norm.num_batches_tracked == 2
    assert subject.step == 1


def test_more_pieces_than_images_are_refused():
    with pytest.raises(RoadexError, match=r"trainer.accumulate=5: .*batch_size=4"):
        learner("trainer.accumulate=5")


def test_recomputing_changes_neither_gradients_nor_statistics():
    found = [learner(*settings) for settings in ([], ["trainer.activation_checkpointing=true"])]
    grown = [gradients(subject) for subject in found]
    assert_alike(*grown, rtol=0, atol=0)
    assert_alike(weights(found[0]), weights(found[1]), rtol=0, atol=0)


def test_recomputing_keeps_less():
    """Bytes that the forward pass holds for the backward one."""

    def held(*settings: str) -> int:
        subject, kept = learner("model.blocks=4", *settings), {}
        with torch.autograd.graph.saved_tensors_hooks(
            lambda x: kept.setdefault(x.data_ptr(), x), lambda x: x
        ):
            subject.model(torch.randn(2, 3, 64, 64))
        return sum(x.nbytes for x in kept.values())

    assert held("trainer.activation_checkpointing=true") < 0.8 * held()


def test_a_model_without_hourglass_cannot_recompute(monkeypatch):
    monkeypatch.setattr("roadex.engine.learner.build_model", lambda *_: nn.Conv2d(3, 2, 1))
    with pytest.raises(RoadexError, match="no hourglass"):
        learner("trainer.activation_checkpointing=true")


def assert_compiled_equals_eager() -> None:
    eager, fast = learner(), learner("trainer.compile=true")
    grown = gradients(eager), gradients(fast)
    assert fast.train_model is not fast.model
    assert_alike(*grown, rtol=1e-3, atol=1e-5)
    assert weights(fast).keys() == weights(eager).keys()


def test_a_traced_step_equals_an_eager_one(monkeypatch):
    """The compiler's front half, which does all but write machine code."""
    monkeypatch.setenv("CXX", "true")
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    assert_compiled_equals_eager()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs g++")
def test_a_compiled_step_equals_an_eager_one():
    assert_compiled_equals_eager()


def test_compiling_says_when_there_is_no_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RoadexError, match=r"needs a C\+\+ compiler"):
        learner("trainer.compile=true")


@pytest.mark.parametrize(("precision", "wanted"), [("bf16", torch.bfloat16), ("fp16", torch.half)])
def test_half_precision_computes_in_it_and_keeps_the_weights_in_fp32(precision, wanted):
    subject, formats = learner(f"trainer.precision={precision}"), []
    layer = next(m for m in subject.model.modules() if isinstance(m, nn.Conv2d))
    layer.register_forward_hook(lambda _, __, output: formats.append(output.dtype))
    before = weights(subject)
    subject.learn(batch())
    after = weights(subject)
    assert formats == [wanted]
    assert {v.dtype for v in after.values() if v.is_floating_point()} == {torch.float32}
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_fp16_halves_its_scale_and_takes_no_step_when_gradients_overflow():
    subject = learner("trainer.precision=fp16")
    subject.optimizer_step.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
    parameters = [p.detach().clone() for p in subject.model.parameters()]
    subject.learn(batch())
    assert subject.optimizer_step.scaler.get_scale() == 2.0**59
    for before, after in zip(parameters, subject.model.parameters(), strict=True):
        assert torch.equal(before, after)


def test_channels_last_lays_out_the_weights_and_changes_no_result():
    plain, last = learner(), learner("trainer.channels_last=true")
    layer = next(
        m for m in last.model.modules() if isinstance(m, nn.Conv2d) and m.kernel_size[0] > 1
    )
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert_alike(gradients(plain), gradients(last), rtol=1e-3, atol=1e-5)


def test_clipping_shortens_the_whole_gradient_and_keeps_its_direction():
    long, short = gradients(learner()), gradients(learner("trainer.clip_norm=0.01"))
    length = nn.utils.get_total_norm(list(short.values()))
    assert length.item() == pytest.approx(0.01, rel=1e-3)
    scale = length / nn.utils.get_total_norm(list(long.values()))
    assert_alike({n: g * scale for n, g in long.items()}, short, rtol=1e-3, atol=1e-8)


def test_the_average_follows_its_formula():
    """a <- d a + (1 - d) w with d = min(decay, 1 - n ** -2/3), n the step's number."""
    decay, subject = 0.5, learner("trainer.ema=0.5")
    name = "stacks.0.features.2.weight"
    expected = weights(subject)[name]
    for number in range(1, 7):
        subject.learn(batch(number))
        rate = min(decay, 1 - number ** (-2 / 3))
        expected = rate * expected + (1 - rate) * weights(subject)[name]
    found = subject.eval_model.state_dict()[name]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)
    assert not torch.equal(found, weights(subject)[name])


EVERYTHING = (
    "trainer.ema=0.9",
    "trainer.precision=fp16",
    "scheduler=cosine",
    "trainer.accumulate=2",
)


@pytest.mark.parametrize("settings", [(), EVERYTHING, ("optimizer=sgd",), ("optimizer=adam",)])
def test_a_restored_learner_goes_on_to_the_very_same_state(settings, tmp_path):
    straight = learner(*settings)
    for number in range(4):
        straight.learn(batch(number))
        if number == 1:
            torch.save(straight.state(), tmp_path / "state.pt")
    again = learner(*settings, seed=7)
    again.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    for number in (2, 3):
        again.learn(batch(number))
    torch.testing.assert_close(again.state(), straight.state(), rtol=0, atol=0)
    assert again.step == 4 and again.lr == straight.lr


def spoil(subject: Learner) -> None:
    """Let the next loss be NaN, by an input that is."""
    subject.dataset.mean[0] = float("nan")


def test_a_loss_that_is_not_finite_stops_before_the_weights_are_touched():
    subject = learner("trainer.ema=0.9")
    subject.learn(batch())
    parameters = copy.deepcopy(list(subject.model.parameters()))
    momenta = copy.deepcopy(subject.optimizer_step.optimizer.state_dict())
    spoil(subject)
    with pytest.raises(NotFiniteError, match=r"at step 1: lower optimizer\.lr") as caught:
        subject.learn(batch())
    assert caught.value.step == 1
    assert all(map(torch.equal, parameters, subject.model.parameters()))
    torch.testing.assert_close(
        subject.optimizer_step.optimizer.state_dict(), momenta, rtol=0, atol=0
    )


@pytest.mark.parametrize("settings", [(), ("trainer.precision=fp16",), ("optimizer=sgd",)])
def test_a_bad_loss_that_is_read_late_has_changed_no_weight_either(settings):
    """As on a GPU, where the loss is read only every few steps: all steps after it are lost."""
    subject = learner(*settings)
    subject.optimizer_step.check_every = 5
    subject.learn(batch())
    parameters = copy.deepcopy(list(subject.model.parameters()))
    mean = list(subject.dataset.mean)
    spoil(subject)
    subject.learn(batch())
    subject.dataset.mean[:] = mean
    for module in subject.model.modules():  # the statistics are spoilt, too: have them forgotten
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    subject.learn(batch())
    assert all(map(torch.equal, parameters, subject.model.parameters()))
    for saved in (subject.state, lambda: subject.checkpoint(0.5, 1, {})):
        with pytest.raises(NotFiniteError) as caught:
            saved()
        assert caught.value.step == 1


def test_losses_are_the_same_however_rarely_they_are_read():
    rows = [{"total": torch.tensor(0.1 * i), "part": torch.tensor(1.0 / (i + 1))} for i in range(9)]
    often, rarely = LossSums(), LossSums()
    for row in rows:
        often.add(row)
        often.read()
        rarely.add(row)
    assert often.means() == rarely.means() and len(often) == len(rarely) == 9
    assert often.means()["total"] == pytest.approx(0.4)


TIMM = (
    "model=unet", "model.width=4", "backbone=timm", "backbone.name=resnet10t",
    "optimizer=adamw", "optimizer.weight_decay=0.1", "trainer.batch_size=4",
)  # fmt: skip


def moved_by(found: Learner, epoch: int) -> set[str]:
    """What an optimiser step of an epoch changes, parameters and statistics."""
    before = weights(found)
    found.train(epoch)
    found.learn(batch())
    after = found.model.state_dict()
    return {n for n, v in before.items() if not torch.equal(v, after[n])}


@pytest.mark.parametrize(("freeze", "free_in_third"), [("2", True), ("always", False)])
def test_a_frozen_encoder_changes_in_nothing_and_all_else_learns(freeze, free_in_third):
    dataset = PreparedDataset(Path(), {}, 0.5, 5, [0.4] * 3, [0.2] * 3)
    config = train_config(*TIMM, f"backbone.freeze={freeze}")
    torch.manual_seed(0)
    found = build_learner(config, dataset, CPU, epoch_steps=10)
    for epoch in (1, 2):
        moved = moved_by(found, epoch)
        assert not any(name.startswith("encoder.") for name in moved)
        learnt = {n for n, _ in found.model.named_parameters() if not n.startswith("encoder.")}
        assert learnt <= moved
    third = moved_by(found, 3)
    in_encoder = {n for n, _ in found.model.named_parameters() if n.startswith("encoder.")}
    # Where a map is one pixel wide a batch norm leaves nothing to learn.
    share = len(in_encoder & third) / len(in_encoder)
    assert share > 0.8 if free_in_third else share == 0


def test_a_frozen_encoder_that_is_no_number_of_epochs_is_refused():
    with pytest.raises(RoadexError, match=r"backbone\.freeze=now: a number of epochs, or always"):
        train_config(*TIMM, "backbone.freeze=now")


def test_a_batch_norm_without_a_second_value_says_what_to_set():
    """A single small crop, as from a dataset of one training tile, whatever the batch size is."""
    dataset = PreparedDataset(Path(), {}, 0.5, 5, [0.4] * 3, [0.2] * 3)
    net = build_learner(train_config(*TIMM), dataset, CPU, epoch_steps=10)
    one = batch(samples=1)
    with pytest.raises(RoadexError, match=r"batch norm needs more .*trainer\.batch_size"):
        net.learn(one)


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        (["loss.pair_share=0.25"], [[0], [1], [2], [3]]),
        (["loss.pair_share=0.5"], [[0, 1], [2, 3], [0, 1], [2, 3]]),
        (["loss.pair_share=0.25", "trainer.only_pairs=true"], [[0, 1, 2, 3]] * 4),
    ],
)
def test_the_pairs_of_each_crop_are_asked_in_turn(settings, asked, monkeypatch):
    seen, size = [], 4
    subject = learner("model.paths=true", *(s for s in settings if "only" not in s))
    only = any("only" in setting for setting in settings)
    trainer = replace(subject.config.trainer, only_pairs=only)
    subject.config = replace(subject.config, trainer=trainer)

    def loss_of_each(head, logits, roads, *_) -> torch.Tensor:
        seen.append(roads[:, 0, 0].int().tolist())
        assert all(len(each) == len(roads) for maps in logits.values() for each in maps)
        return logits["segmentation"][-1].mean(dim=(1, 2, 3)) * 0 + 2.0

    monkeypatch.setattr("roadex.engine.learner.pair_loss", loss_of_each)
    roads = torch.arange(size).float()[:, None, None].expand(size, 1, 6)
    losses = [subject.learn({**batch(), "roads": roads})["pairs"] for _ in range(4)]
    assert seen == asked
    assert [float(loss) for loss in losses] == [2.0] * 4  # a mean over crops, however many
