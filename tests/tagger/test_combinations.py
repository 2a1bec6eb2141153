"""Values that never go together, found in labels and kept apart in tags."""

import numpy as np

from tagger import combinations

HEADS = {'category': ('dress', 'skirt'), 'sleeve': ('', 'long', 'short'), 'colour': ('blue', 'red')}


def labelled(count=200):
    """Skirts have no sleeves, dresses have some; colours are free."""
    rng = np.random.RandomState([3])
    category = rng.randint(0, 2, count)
    sleeve = np.where(category == 1, 0, rng.randint(1, 3, count))
    return {'category': category, 'sleeve': sleeve, 'colour': rng.randint(0, 2, count)}


def test_what_never_occurs_together_is_found():
    assert combinations.impossible(labelled(), HEADS) == [[0, 2], [1, 3], [1, 4]]


def test_what_chance_alone_kept_apart_may_still_occur():
    few = {name: values[:12] for name, values in labelled().items()}
    assert combinations.impossible(few, HEADS) == []
    unknown = {name: np.full(200, -1) for name in HEADS}
    assert combinations.impossible(unknown, HEADS) == []


def tags(category, sleeve, colour):
    rows = {'category': np.array([category]), 'sleeve': np.array([sleeve]),
            'colour': np.array([colour])}
    return combinations.decode(rows, HEADS, combinations.impossible(labelled(), HEADS))[0]


def test_tags_go_together_and_their_probability_is_a_share_of_what_does():
    found = tags([0.2, 0.8], [0.1, 0.7, 0.2], [0.4, 0.6])
    assert {name: value for name, (value, _) in found.items()} == {
        'category': 'skirt', 'sleeve': '', 'colour': 'red'}
    assert abs(found['category'][1] - 0.8) < 1e-6 and found['sleeve'][1] > 0.999
    found = tags([0.9, 0.1], [0.5, 0.1, 0.4], [0.4, 0.6])
    assert found['sleeve'][0] == 'short' and abs(found['sleeve'][1] - 0.8) < 1e-6
    assert list(found) == list(HEADS)


def test_nothing_changes_where_nothing_is_impossible():
    rows = {name: np.random.RandomState([len(values)]).dirichlet([1] * len(values), 5)
            for name, values in HEADS.items()}
    for index, found in enumerate(combinations.decode(rows, HEADS, [])):
        for name, values in HEADS.items():
            assert found[name][0] == values[rows[name][index].argmax()]
            assert abs(found[name][1] - rows[name][index].max()) < 1e-6
