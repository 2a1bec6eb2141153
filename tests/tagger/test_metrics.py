"""Metrics against sums by hand, and fidelity with taggers that read values off the pixels."""

import numpy as np
import pytest

from tagger import metrics

HEADS = {'category': ('dress', 'top'), 'colour': ('red', 'blue', 'grey'),
         'pattern': ('plain', 'striped'), 'hem': ('straight', 'ruffled')}


def test_scores_of_a_confusion_matrix():
    matrix = metrics.confusion([0, 0, 0, 1, 1, -1], [0, 0, 1, 1, 0, 1], 3)
    assert matrix.tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    scores = metrics.scores(matrix)
    assert scores['precision'].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert scores['recall'].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert metrics.macro_f1(matrix) == pytest.approx((2 / 3 + 1 / 2) / 2)  # the third never occurs


def test_evaluation_has_every_figure_and_tables_show_it():
    heads = {'category': ('dress', 'skirt'), 'sleeve': ('', 'long')}
    probabilities = {'category': np.array([[.9, .1], [.2, .8], [.6, .4]]),
                     'sleeve': np.array([[.5, .5], [1, 0], [0, 1]])}
    known = {'category': np.array([0, 1, 1]), 'sleeve': np.array([0, 0, -1])}
    report = metrics.evaluate(probabilities, known, heads)
    assert report['category']['confusion'] == [[1, 0], [1, 1]]
    assert report['category']['accuracy'] == pytest.approx(2 / 3)
    assert report['category']['values']['skirt']['recall'] == pytest.approx(1 / 2)
    assert report['sleeve']['count'] == 2 and report['sleeve']['macro_f1'] == 1
    assert metrics.table(report).splitlines()[1].split()[:2] == ['category', '0.667']
    assert '(none)' in metrics.values_table(report['sleeve'])
    rows = metrics.confusion_text(report['category']['confusion'], heads['category']).splitlines()
    assert rows[2].split() == ['skirt', '1', '1', '50.0', '%']


def test_of_a_large_confusion_matrix_the_largest_errors_are_shown():
    matrix = 5 * np.eye(13, dtype=int)
    matrix[2, 0], matrix[1, 3] = 4, 7
    _, *rows = metrics.confusion_text(matrix, [''] + list('abcdefghijkl')).splitlines()
    assert rows == ['a, c, 7 of 12', 'b, (none), 4 of 9']


class Reader:
    """A tagger whose values stand in the first pixels of an image, `wrong` of them shifted."""

    def __init__(self, heads=HEADS, wrong=()):
        self.heads, self._wrong = heads, wrong

    def probabilities(self, pictures):
        return {head: np.eye(len(values))[
            (pictures[:, 0, index, 0] + (head in self._wrong)) % len(values)]
            for index, (head, values) in enumerate(self.heads.items())}


def _pictures(count, seed):
    return np.random.RandomState(seed).randint(0, 6, [count, 4, 4, 3]).astype(np.uint8)


def test_agreement_and_plain_garments_of_fakes_and_reals():
    fakes, reals = _pictures(60, 0), _pictures(50, 1)
    found = metrics.fidelity(Reader(), Reader(wrong=('colour', 'hem')), fakes, reals)
    assert set(found) == {'agreement_category', 'agreement_colour', 'agreement_pattern',
                          'agreement', 'plain'}  # hem is none that people see at once
    assert found['agreement_category'] == {'value': 1, 'floor': 1}
    assert found['agreement_colour'] == {'value': 0, 'floor': 0}
    assert found['agreement']['value'] == 2 / 3
    assert found['plain'] == {'value': np.mean(fakes[:, 0, 2, 0] % 2 == 0),
                              'floor': np.mean(reals[:, 0, 2, 0] % 2 == 0)}


def test_without_a_judge_of_the_same_heads_there_is_no_agreement():
    other = {'category': ('dress', 'top')}
    for judge in (None, Reader(other)):
        assert set(metrics.fidelity(Reader(), judge, _pictures(9, 2), _pictures(9, 3))) == {'plain'}
    assert metrics.fidelity(Reader(other), None, _pictures(9, 2), _pictures(9, 3)) == {}
