"""Our StyleGAN against the numbers recorded from the original, within the notes' tolerances.

What is committed is compared everywhere, the complete set where it is at hand.
"""

import pathlib

import parity
import pytest

COMPLETE = pathlib.Path(__file__).parents[2] / 'shared' / 'parity' / 'stylegan'


def _check(folder, file, compare):
    rows = parity.measure(folder, file, compare)
    assert rows
    for row in rows:
        assert row.error <= row.tolerance, row


@pytest.mark.parametrize('what, file, compare', parity.COMPARISONS,
                         ids=[what for what, _, _ in parity.COMPARISONS])
def test_recorded_numbers(what, file, compare):
    if (parity.SMALL / file).exists():
        _check(parity.SMALL, file, compare)
    elif (COMPLETE / file).exists():
        _check(COMPLETE, file, compare)
    else:
        pytest.skip(f'{file} is not at {COMPLETE}')


def test_the_committed_numbers_cover_the_networks_the_schedule_and_the_files():
    here = {what for what, file, _ in parity.COMPARISONS if (parity.SMALL / file).exists()}
    assert here >= {'schedule', 'grids', 'mixing', 'misc', 'labels', 'pickle', 'records'}


def test_the_table_says_what_is_too_far():
    rows = [['a', 1e-6, 1e-5], ['b', 0.5, 0.1]]
    text = parity.table({'tf1': rows, 'tf2': [['a', 2e-6, 1e-5], ['b', 0.05, 0.1]]}).split('\n')
    assert text[0].split() == ['quantity', 'tolerance', 'tf1', 'tf2']
    assert text[1].split() == ['a', '1e-05', '1e-06', '2e-06']
    assert text[2].split() == ['b', '0.1', '0.5', '0.05', 'TOO', 'FAR']
