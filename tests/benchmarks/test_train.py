"""The training benchmark measures the real loop, and refuses settings that it does not have."""

from __future__ import annotations

import re

import pytest

from roadex.benchmarks._steps import PHASES, open_bench
from roadex.benchmarks.train import TIMM, _variants, main, parse
from roadex.errors import RoadexError

TINY = [
    "model.width=16", "model.blocks=1", "model.head_width=8", "dataset.crop=64",
    "trainer.batch_size=2", "steps=1", "repeats=1",
]  # fmt: skip


def test_it_tells_the_ratio_the_speed_and_where_the_time_goes(capsys):
    main(TINY)
    out = capsys.readouterr().out
    assert 0.5 < float(re.search(r"ratio +(\S+)", out)[1]) < 5
    assert re.search(r"images per processor second, \S+ GFLOP an image, \S+ GFLOP/s\n", out)
    assert re.search(r"peak memory \S+ MiB; an image holds \S+ MiB for its gradient\n", out)
    shares = [float(re.search(rf"{phase} (\S+)%", out)[1]) for phase in PHASES]
    assert sum(shares) == pytest.approx(100, abs=1)


def test_the_share_of_the_pair_head_is_told(capsys):
    main([*TINY, "pairs=true"])
    share = re.search(r"the head's share +(\S+)%", capsys.readouterr().out)
    assert share and -100 < float(share[1]) < 100


def test_the_published_backbone_is_the_yardstick_of_the_others(capsys, monkeypatch):
    monkeypatch.setattr("roadex.benchmarks.train.TIMM", TIMM[:1])
    main([*TINY, "backbones=true", "sizes=[64]"])
    paper, other = capsys.readouterr().out.splitlines()[-2:]
    assert paper.startswith("paper") and paper.endswith("1.00")
    assert other.startswith(TIMM[0])


def test_variants_are_compared_with_plain_fp32(capsys, monkeypatch):
    """The first two of them: compiled ones take minutes."""
    monkeypatch.setattr(
        "roadex.benchmarks.train._variants", lambda trainer: dict([*_variants(trainer).items()][:2])
    )
    bands = ["dataset=folder", "dataset.raw=x", "dataset.bands=[1,2,3,4]"]
    main([*TINY, *bands, "variants=true"])
    plain, last = (line.split() for line in capsys.readouterr().out.splitlines()[-2:])
    assert plain[0] == "fp32" and plain[1] == "2" and plain[3] == "1.00"
    assert last[:2] == ["fp32,", "channels-last"] and float(last[4]) > 0.1


def test_operations_are_counted_for_forward_and_backward(tmp_path):
    """The backward pass takes twice the forward one's, except that the image needs no gradient."""
    from torch.utils.flop_counter import FlopCounterMode

    _, config = parse(TINY)
    bench = open_bench(config, tmp_path, steps=1)
    counter = FlopCounterMode(display=False)
    with counter:
        bench.learner.model(bench.image()[:1])
    assert 2.5 * counter.get_total_flops() < bench.flops() <= 3 * counter.get_total_flops()


def test_less_is_held_where_hourglasses_are_recomputed(tmp_path):
    held = [
        open_bench(
            parse([*TINY, f"trainer.activation_checkpointing={on}"])[1], tmp_path, steps=1
        ).held_bytes()
        for on in (False, True)
    ]
    assert held[1] < 0.9 * held[0]


@pytest.mark.parametrize(
    ("override", "complaint"),
    [("stepz=3", "there is no setting 'stepz'"), ("steps=0", "steps=0: must be at least 1")],
)
def test_unknown_settings_are_refused(override, complaint):
    with pytest.raises(RoadexError, match=complaint):
        main([override])
