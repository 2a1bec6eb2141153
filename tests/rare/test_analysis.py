"""Scores, confidence intervals and p values, against plain loops and known answers."""

import numpy as np
import pytest

from rare import analysis


def _average_precision(scores, truth):
    """The definition: the sum over distinct thresholds of precision times the gain in recall."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        taken = scores >= threshold
        recall = (truth & taken).sum() / truth.sum()
        total += (recall - before) * (truth & taken).sum() / taken.sum()
        before = recall
    return total


def test_average_precision_is_the_definition():
    random = np.random.RandomState(0)
    for digits in (1, 6):  # many ties, none
        scores, truth = np.round(random.rand(60), digits), random.rand(60) < 0.3
        weights = random.randint(0, 4, size=[5, 60])
        found = analysis.average_precision(scores, truth, weights)
        for own, value in zip(weights, found):
            assert value == pytest.approx(_average_precision(scores.repeat(own), truth.repeat(own)))
        assert analysis.average_precision(scores, truth)[0] == pytest.approx(
            _average_precision(scores, truth))
    perfect = analysis.average_precision(truth * 1.0, truth)
    assert perfect == pytest.approx(1)
    assert analysis.average_precision(scores, np.zeros(60, bool))[0] == 0


def test_precision_recall_and_f1_by_counting():
    random = np.random.RandomState(1)
    guessed, truth = random.rand(40, 3) < 0.4, random.rand(40) < 0.5
    weights = random.randint(0, 3, size=[4, 40])
    precision, recall, f1 = analysis.precision_recall_f1(guessed, truth, np.float32(weights))
    for b, own in enumerate(weights):
        for k in range(3):
            g, t = guessed[:, k].repeat(own), truth.repeat(own)
            p, r = (g & t).sum() / g.sum(), (g & t).sum() / t.sum()
            assert (precision[b, k], recall[b, k], f1[b, k]) == pytest.approx(
                (p, r, 2 * p * r / (p + r)), rel=1e-5)
    nothing = analysis.precision_recall_f1(np.zeros([40, 1], bool), truth, np.float32(weights))
    assert all((figure == 0).all() for figure in nothing)


def test_resampling_begins_with_the_data_and_keeps_its_size():
    weights, shares = analysis.resampled(50, 4, 300, seed=0)
    assert (weights[0] == 1).all() and np.allclose(shares[0], 0.25)
    assert (weights.sum(1) == 50).all() and np.allclose(shares.sum(1), 1)
    assert weights[1:].mean(0) == pytest.approx(np.ones(50), abs=0.3)
    assert weights[1:].var() == pytest.approx(0.98, abs=0.05)  # of a binomial, 1 - 1 / n
    np.testing.assert_array_equal(weights, analysis.resampled(50, 4, 300, seed=0)[0])


def _covered(gap, runs=150):
    """How often the interval of a difference holds the true gap, and how often p is below 5 %."""
    random, inside, below = np.random.RandomState(2), 0, 0
    weights = analysis.resampled(80, 1, 400, seed=1)[0]
    for _ in range(runs):
        both = random.randn(80)
        ours, theirs = [(weights @ (both + shift + random.randn(80))) / 80 for shift in (gap, 0)]
        _, low, high, p = analysis.bootstrap_difference(ours, theirs)
        inside, below = inside + (low <= gap <= high), below + (p < 0.05)
    return inside / runs, below / runs


def test_intervals_have_the_promised_coverage():
    inside, false_alarms = _covered(0)
    assert inside > 0.88 and false_alarms < 0.12
    inside, found = _covered(0.8)
    assert inside > 0.88 and found > 0.95


def test_pairing_removes_shared_variance():
    random = np.random.RandomState(3)
    hard = random.randn(200) * 5
    weights = analysis.resampled(200, 1, 500, seed=0)[0]
    ours, theirs = [(weights @ (hard + shift)) / 200 for shift in (0.1, 0)]
    difference, low, high, p = analysis.bootstrap_difference(ours, theirs)
    assert difference == pytest.approx(0.1, abs=1e-5)
    assert low == pytest.approx(high, abs=1e-4) and p < 0.01


def test_holm_by_hand():
    assert analysis.holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert analysis.holm([0.9]) == [0.9] and analysis.holm([0.6, 0.7]) == [1.0, 1.0]


def test_of_many_classes_those_that_change_most_are_reported():
    names = [f'class {number}' for number in range(70)]

    def arm(name, changed=()):
        f1 = {each: 0.5 + 0.1 * (each in changed) for each in names}
        f1['hat'] = 0.9
        return {'arm': name, 'count': 10, 'auprc': 0.5, 'macro_f1': 0.5, 'p_holm': 1.0,
                'f1_against_real': (0, 0, 0, 1), 'classes': {
                    each: {'precision': 0.5, 'recall': 0.5, 'f1': f1[each]} for each in f1}}
    arms = [arm(name, ('class 33', 'class 68') if name == analysis.TREATMENT else ())
            for name in analysis.ARMS]
    lines = analysis.table({'class': 'hat', 'arms': arms}).split('\n')
    lines = lines[next(i for i, line in enumerate(lines) if 'the 12 of 70 classes' in line):]
    assert [line.split()[1] for line in lines[2:4]] == ['33', '68'] and len(lines) == 14
    assert all(len(line) <= 110 for line in lines)
