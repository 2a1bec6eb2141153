"""Agreement of two taggers and the share of plain garments, with taggers that read them off."""

import numpy as np

from tagger import fidelity

HEADS = {'category': ('dress', 'top'), 'colour': ('red', 'blue', 'grey'),
         'pattern': ('plain', 'striped'), 'hem': ('straight', 'ruffled')}


class Reader:
    """A tagger whose values stand in the first pixels of a picture, `wrong` of them shifted."""

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
    found = fidelity.figures(Reader(), Reader(wrong=('colour', 'hem')), fakes, reals)
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
        assert set(fidelity.figures(Reader(), judge, _pictures(9, 2), _pictures(9, 3))) == {'plain'}
    assert fidelity.figures(Reader(other), None, _pictures(9, 2), _pictures(9, 3)) == {}
