"""The longest shared run is what a plain search finds."""

import numpy as np
import pytest

from gpt2 import overlap

RANDOM = np.random.RandomState(4)


def _plainly(ids, documents):
    """The longest run of ids that stands in one of the documents, by looking everywhere."""
    spelt = [' '.join(['', *map(str, document), '']) for document in documents]
    for n in range(len(ids), 0, -1):
        for i in range(len(ids) - n + 1):
            run = ' '.join(['', *map(str, ids[i:i + n]), ''])
            if any(run in document for document in spelt):
                return n
    return 0


@pytest.mark.parametrize('kinds', [2, 5, 60])
def test_longest_against_a_plain_search(kinds):
    documents = [RANDOM.randint(0, kinds, RANDOM.randint(1, 40)).tolist() for _ in range(12)]
    index = overlap.Index(documents)
    for _ in range(30):
        ids = RANDOM.randint(0, kinds, RANDOM.randint(1, 30)).tolist()
        assert index.longest(ids) == _plainly(ids, documents)


def test_a_copy_is_found_whole_and_not_across_texts():
    documents = [[1, 2, 3, 4], [5, 6, 7], [8]]
    index = overlap.Index(documents)
    assert [index.longest(ids) for ids in ([1, 2, 3, 4], [3, 4, 5, 6], [7, 8], [9, 9], [])] == [
        4, 2, 1, 0, 0]
    assert index.longest([0, 2, 3, 9, 5, 6, 7, 1]) == 3


def test_runs_of_every_length_have_their_own_hashes():
    ids = RANDOM.randint(0, 2, 300)
    for n in range(1, 40):
        hashes = overlap._hashes(ids, n)
        runs = [tuple(ids[i:i + n]) for i in range(300 - n + 1)]
        assert len(hashes) == len(runs)
        assert len({*hashes.tolist()}) == len({*runs}) == len({*zip(runs, hashes.tolist())})


def test_distinct_counts_runs_once():
    assert overlap.distinct([[1, 2, 1, 2]], 1) == 0.5
    assert overlap.distinct([[1, 2, 1, 2], [2, 1]], 2) == 0.5  # 12 21 12 21
    assert overlap.distinct([[1, 2, 3]], 2) == 1 and overlap.distinct([[1]], 2) == 0


def test_report_sets_samples_beside_held_out_texts():
    index = overlap.Index([[1, 2, 3, 4, 5, 6]])
    figures = overlap.report([[1, 2, 3, 4], [9, 9]], [[3, 4, 7, 8], []], index)
    assert figures['overlap'] == 2 and figures['overlap_share'] == 0.5
    assert figures['overlap_held_out'] == 2 and figures['overlap_share_held_out'] == 0.5
    assert figures['distinct_1'] == 5 / 6 and figures['distinct_1_held_out'] == 1
    assert 'overlap_held_out' not in overlap.report([[1]], [], index)
    more = overlap.report([[1, 2]], [[1, 2]] * 9, index)  # of equally many texts
    assert more['distinct_1'] == more['distinct_1_held_out'] == 1
