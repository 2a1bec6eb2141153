"""The growing schedule gives the numbers of the paper exactly."""

import pytest

from stylegan import schedule
from stylegan.config import Network, Training


def _at(kimg, resolution=512, **training):
    return schedule.position(round(kimg * 1000), Network(resolution=resolution),
                             Training(**training))


@pytest.mark.parametrize('kimg, lod, resolution, minibatch, lrate', [
    (0, 6, 8, 128, .001), (600, 6, 8, 128, .001), (600.1, 6 - .1 / 600, 16, 128, .001),
    (900, 5.5, 16, 128, .001), (1200, 5, 16, 128, .001), (1800, 5, 16, 128, .001),
    (2100, 4.5, 32, 64, .001), (2400, 4, 32, 64, .001), (3600, 3, 64, 32, .001),
    (4500, 2.5, 128, 16, .0015), (4800, 2, 128, 16, .0015), (6000, 1, 256, 8, .002),
    (6600, 1, 256, 8, .002), (6601, 1 - 1 / 600, 512, 4, .003), (7200, 0, 512, 4, .003),
    (25000, 0, 512, 4, .003)])
def test_default_table(kimg, lod, resolution, minibatch, lrate):
    at = _at(kimg)
    assert at.lod == pytest.approx(lod, abs=1e-9)
    assert at[1:2] + at[3:5] == (resolution, minibatch, lrate)


def test_alpha_is_the_share_of_the_new_resolution():
    assert _at(600).alpha == 1
    assert _at(750).alpha == pytest.approx(0.25)
    assert 0 < _at(600.1).alpha < 0.001
    assert _at(1200).alpha == 1 and _at(9000).alpha == 1


def test_stage_changes_just_when_a_fade_begins_or_ends():
    kimgs = range(0, 8001, 50)
    stages = [schedule.stage(_at(kimg).lod) for kimg in kimgs]
    changes = [kimg for kimg, a, b in zip(kimgs[1:], stages, stages[1:]) if a != b]
    begins = [600 + 1200 * i + 50 for i in range(6)]  # at 600 itself nothing has faded in yet
    ends = [1200 + 1200 * i for i in range(6)]
    assert changes == sorted(begins + ends)


def test_the_learning_rate_can_rise_from_zero():
    assert [_at(kimg, rampup_kimg=100).lrate for kimg in (0, 50, 100, 200)] == [
        0, 0.0005, 0.001, 0.001]


def test_the_learning_rate_falls_at_the_end():
    training = Training(kimg=400, settle_kimg=200)
    rates = [schedule.position(1000 * kimg, Network(), training).lrate
             for kimg in (100, 200, 300, 350, 399, 400)]
    assert rates == pytest.approx([0.001, 0.001, 0.0005, 0.00025, 0.00002, 0.00002])
    short = Training(kimg=100, settle_kimg=200)
    assert schedule.position(50000, Network(), short).lrate == pytest.approx(0.001)
    assert schedule.position(75000, Network(), short).lrate == pytest.approx(0.0005)


def test_knobs_overrule_the_tables():
    at = _at(700, minibatch=12, lrate=0.5, hold_kimg=100, fade_kimg=200, initial=16)
    assert at == (3.0, 64, 1.0, 12, 0.5, 0.5, 80)
    assert _at(700, lrate=0.5, d_lrate=0.2)[4:6] == (0.5, 0.2)
    assert _at(550, hold_kimg=100, fade_kimg=200).lod == 4.25  # the second phase, 150 into its fade
    assert _at(10, hold_kimg=10, fade_kimg=0).lod == 5  # no fade: straight to the next
    assert _at(5, initial=512).lod == 0
    assert schedule.minibatch(64, Training(minibatch=9), gpus=2) == 8  # `train.check` refuses it
    assert _at(5, hold_kimg=0, fade_kimg=0).lod == 6  # phases without length never pass
