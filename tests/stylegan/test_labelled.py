"""A labelled sample: predicted, cached in a file, and its plausible pairs of values."""

import numpy as np
import pytest
from toy_world import HEADS, Tagger, World, see

from dnnlib.files import UserError
from stylegan import labelled


def test_each_seed_is_predicted_by_itself():
    world = World()
    sample = labelled.collect(world, Tagger(), count=70, psi=0.5, seed=10)
    w = 0.5 * world.w(world.seeded([40]))
    np.testing.assert_allclose(sample.w[30], w[0], atol=1e-6)
    shown = see(world.pictures(labelled.layered(w, 6)))
    for head in HEADS:
        np.testing.assert_allclose(sample.probabilities[head][30], shown[head][0], atol=1e-6)
        assert sample.values[head][30] == shown[head][0].argmax()


def test_a_sample_is_cached_until_something_differs(tmp_path):
    seen = []

    class Watched(Tagger):
        def probabilities(self, pictures):
            seen.append(len(pictures))
            return see(pictures)

    def cached(**changes):
        given = dict(dict(count=20, psi=1.0, seed=0, models={'by': 'a'}), **changes)
        return labelled.cached(tmp_path / 'tagged.npz', World(), Watched(), **given)
    first, again = cached(), cached()
    assert sum(seen) == 20 and np.array_equal(first.w, again.w) and again.heads == HEADS
    assert all(np.array_equal(first.values[head], again.values[head]) for head in HEADS)
    cached(models={'by': 'b'})
    assert len(cached(count=8, models={'by': 'b'})) == 8 and sum(seen) == 48


def test_plausible_values_occur_together():
    values = {'category': [0] * 6 + [1] * 5, 'size': [1, 1, 1, 2, 2, 0] + [0] * 4 + [1]}
    one_hot = {head: np.eye(4)[index] for head, index in values.items()}
    sample = labelled.LabelledSample(np.zeros([11, 2]), {'category': ('dress', 'top', '', ''),
                                               'size': HEADS['size']}, one_hot)
    small = sample.plausible('size', 1)
    assert small[:6].all() and not small[6:].any()  # one top is too few
    assert not sample.plausible('size', 2).any()
    assert sample.plausible('category', 1).all()


def test_unknown_values_list_the_known_ones():
    assert labelled.value_index(HEADS, 'size', 'medium') == 2
    with pytest.raises(UserError, match="no attribute 'sleeve'; known are: category, colour, size"):
        labelled.value_index(HEADS, 'sleeve', 'long')
    with pytest.raises(UserError, match=r"no value 'gray'; did you mean grey\? known are: blue"):
        labelled.value_index(HEADS, 'colour', 'gray')


@pytest.mark.parametrize('content', [b'', b'no archive'])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / 'tagged.npz').write_bytes(content)
    with pytest.raises(UserError, match=r'tagged.npz'):
        labelled.load(tmp_path / 'tagged.npz')


@pytest.mark.parametrize('change, words', [
    ({'w': np.zeros([3, 2])}, 'probabilities have the shape'), ({'w': np.zeros(4)}, 'its w have'),
    ({'w': np.full([4, 2], np.inf)}, 'not finite'), ({'w': np.array(['a'])}, 'its w have'),
    ({'p/colour': np.zeros([4, 9])}, 'probabilities have the shape'),
    ({'about': np.array('{"heads": []}')}, 'another form'),
    ({'about': np.array('{"heads": {"colour": []}}')}, 'probabilities have the shape'),
    ({'about': np.array('{"heads": {"size": ["a"]}}')}, 'p/size')], ids=str)
def test_arrays_that_do_not_fit_are_refused(tmp_path, change, words):
    path = tmp_path / 'tagged.npz'
    labelled.save(path, labelled.LabelledSample(np.zeros([4, 2], np.float32), {
        'colour': ('red', 'blue')}, {'colour': np.full([4, 2], 0.5)}), {})
    with np.load(str(path)) as arrays:
        changed = dict(arrays, **change)
    np.savez(str(path), **changed)
    with pytest.raises(UserError, match=f'tagged.npz is no labelled sample of w.*{words}'):
        labelled.load(path)
