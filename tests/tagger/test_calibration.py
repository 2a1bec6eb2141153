"""Temperatures and calibration error, where the truth is known because it was drawn."""

import numpy as np
import pytest

from tagger import calibration


def drawn(count, sharpen):
    """Logits, multiplied by `sharpen`, and truths drawn from the softmax of the original ones."""
    rng = np.random.RandomState([5])
    logits = rng.standard_normal([count, 4]) * 2
    shares = calibration.softmax(logits).cumsum(1)
    truth = (rng.uniform(size=[count, 1]) > shares).sum(1)
    return logits * sharpen, np.minimum(truth, 3)


def test_softmax_sums_to_one_and_a_temperature_softens_it():
    logits = np.array([[1000.0, 1001.0]])
    cold, warm = calibration.softmax(logits), calibration.softmax(logits, 2.0)
    assert cold.sum() == pytest.approx(1) and cold[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))
    assert warm[0, 1] == pytest.approx(1 / (1 + np.exp(-0.5)))


@pytest.mark.parametrize('sharpen', [0.7, 1.0, 3.0])
def test_the_temperature_corrects_over_and_underconfidence(sharpen):
    logits, truth = drawn(4000, sharpen)
    assert calibration.temperature(logits, truth) == pytest.approx(sharpen, rel=0.1)


def test_unknown_truths_do_not_count():
    logits, truth = drawn(300, 2.0)
    more = np.concatenate([logits, -logits]), np.concatenate([truth, np.full(300, -1)])
    assert calibration.temperature(*more) == calibration.temperature(logits, truth)
    assert calibration.temperature(logits, np.full(300, -1)) == 1.0


@pytest.mark.parametrize('part', [0.0, 0.4, 1.0])
def test_offsets_are_recovered(part):
    logits, truth = drawn(4000, 1.0)
    offsets = np.array([0.0, -3.0, -2.0, -1.0])
    found, warmth = calibration.adjustment(logits - part * offsets, truth, offsets)
    assert found == pytest.approx(part, abs=0.11) and warmth == pytest.approx(1, rel=0.1)
    assert calibration.adjustment(logits, np.full(4000, -1), offsets) == (0.0, 1.0)


def test_the_error_is_the_gap_between_confidence_and_accuracy():
    probabilities = np.array([[0.75, 0.25]] * 4)
    assert calibration.expected_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0)
    assert calibration.expected_error(probabilities, np.array([0, 1, 1, 1])) == pytest.approx(0.5)
    logits, truth = drawn(4000, 3.0)
    raw = calibration.expected_error(calibration.softmax(logits), truth)
    fixed = calibration.expected_error(
        calibration.softmax(logits, calibration.temperature(logits, truth)), truth)
    assert fixed < 0.03 < raw
