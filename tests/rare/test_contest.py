"""The rules of the contest hold: who sees what, how much of it, and that it goes on."""

import numpy as np
import pytest

from rare import contest as evaluate, photos, verdict
from rare.contest import ARMS, Evaluate
from rare.photos import Photos
from catalog.source import Product
from dnnlib.files import UserError

CLASSES = ('dress', 'jumpsuit')
SIDE, RARE = 8, 1


def _photos(count, rare, seed):
    """Grey pictures around 100, and 150 for the rare class, which overlap."""
    random = np.random.RandomState(seed)
    labels = np.int32(np.arange(count) < rare)
    light = np.clip(random.randn(count) * 25 + 100 + 50 * labels, 0, 255)
    return Photos(np.uint8(light)[:, None, None, None] * np.ones([1, SIDE, SIDE, 3], np.uint8),
                  labels, CLASSES)


class Nearest:
    """A classifier in numpy: two Gaussians of equal width, with or without the classes' shares."""

    log = []

    def __init__(self, pictures, labels, *, weights, augment, seed):
        light = pictures.mean((1, 2, 3))
        sides = [light[labels == label] for label in (0, 1)]
        share = len(sides[1]) / len(labels)
        self._odds = np.log(share / (1 - share)) if share and not weights else 0
        self._means = [side.mean() if len(side) else 255 for side in sides]
        self.log.append((len(pictures), int(labels.sum()), weights, augment, seed))

    def __call__(self, pictures):
        light = pictures.mean((1, 2, 3)) if len(pictures) else np.zeros(0)
        below, above = self._means
        odds = (light - (above + below) / 2) * (above - below) / 625 + self._odds
        p = 1 / (1 + np.exp(-odds))
        return np.stack([1 - p, p], 1)

    def close(self):
        self.log.append('closed')


def _synthesise(scores, look, number, seed):
    made = _photos(number * 3, number * 3, [seed, 9]).pictures.repeat(2, 1).repeat(2, 2)
    return made[:number], made[look(made) >= 0.5][:number]


def _hold(folder, how, train, test, generator='a'):
    contest = evaluate.Contest(folder, how.decisive(), generator)
    return evaluate.run(contest, train, test, RARE, how, fit=Nearest, synthesise=_synthesise,
                        pool=lambda: _photos(50, 5, 3).pictures)


HOW = Evaluate(counts='5,all', synthetic=30, seeds=2, pool=50, side=SIDE, bootstrap=200)


@pytest.fixture(scope='module')
def held(tmp_path_factory):
    folder = tmp_path_factory.mktemp('contest')
    del Nearest.log[:]
    train, test = _photos(400, 20, 1), _photos(800, 80, 2)
    return folder, train, test, _hold(folder, HOW, train, test), list(Nearest.log)


def test_every_arm_learns_from_what_it_may(held):
    _, _, _, (results, audit), log = held
    assert set(results) == {(name, count, seed) for name in ARMS for count in (5, 20)
                            for seed in (0, 1)}
    trained = [line for line in log if line != 'closed']
    assert len(trained) == len(log) / 2 == 2 * 2 * (1 + len(ARMS)) + 2
    assert trained[:4] == [(400, 20, False, False, 0), (400, 20, True, False, 0),
                           (400, 20, False, True, 0), (430, 50, False, False, 0)]
    assert [line[1] for line in trained[4:8]] == [5, 5, 5, 35]
    scouts = [index for index, line in enumerate(trained) if line[4] in (10000, 10001)]
    assert scouts == [16, 20, 24, 28]
    assert trained[20:24] == [(385, 5, True, True, 10000), (415, 35, False, False, 0),
                              (415, 35, False, False, 0), (410, 30, False, False, 0)]
    assert trained[32:] == [(400, 20, True, False, 20000), (400, 20, True, False, 20001)]
    assert set(audit) == {5, 20} and len(audit[5]) == 60


def test_few_draws_by_seed_and_leaves_the_others():
    train = _photos(100, 30, 1)
    some = [photos.few(train, RARE, 10, seed) for seed in (0, 0, 1)]
    assert [int(each.labels.sum()) for each in some] == [10] * 3
    assert all((each.labels == 0).sum() == 70 for each in some)
    np.testing.assert_array_equal(some[0].pictures, some[1].pictures)
    assert not np.array_equal(some[0].pictures, some[2].pictures)


def test_duplicates_are_copies_and_filtered_pictures_come_again():
    train = _photos(40, 3, 1)
    drawn = {'synthetic': np.full([9, SIDE, SIDE, 3], 7, np.uint8),
             'filtered': np.full([2, SIDE, SIDE, 3], 9, np.uint8)}
    more, weights, augment = evaluate.arm('duplicates', train, RARE, drawn, 7)
    assert not weights and not augment and len(more) == 47
    assert {each.tobytes() for each in more.pictures[40:]} == {
        each.tobytes() for each in train.pictures[:3]}
    assert (evaluate.arm('filtered', train, RARE, drawn, 7)[0].pictures[40:] == 9).all()
    alone = evaluate.arm('synthetic only', train, RARE, drawn, 7)[0]
    assert len(alone) == 44 and (alone.pictures[alone.labels == RARE] == 9).all()
    drawn['filtered'] = drawn['filtered'][:0]
    assert len(evaluate.arm('filtered', train, RARE, drawn, 7)[0]) == 40


def test_a_stopped_contest_goes_on_and_can_be_prolonged(held):
    folder, train, test, (before, _), _ = held
    del Nearest.log[:]
    (folder / 'results' / 'filtered-5-1-a.npz').unlink()
    again, _ = _hold(folder, HOW, train, test)
    assert len(Nearest.log) == 2  # one training, closed
    for key in before:
        np.testing.assert_array_equal(before[key], again[key])
    more = Evaluate(**dict(HOW.decisive(), counts='5,10,all', seeds=1))
    del Nearest.log[:]
    assert len(_hold(folder, more, train, test, 'b')[0]) == 3 * 7
    # Another generator: all plain arms of the counts that were held before are kept.
    assert len(Nearest.log) == 2 * (len(evaluate.PLAIN) + 3 * (1 + len(evaluate.SYNTHETIC)) + 1)
    with pytest.raises(UserError, match='another synthetic'):
        evaluate.Contest(folder, dict(HOW.decisive(), synthetic=31), 'a')


def test_the_verdict_finds_what_is_there(held):
    """With 5 of 400 the plain classifier hardly ever says rare; more rare pictures help it."""
    _, _, test, (results, audit), _ = held
    figures = verdict.Figures(results, test.labels, CLASSES, RARE, HOW.bootstrap)
    result = verdict.summary(figures, audit)
    rows = {(row['arm'], row['count']): row for row in result['arms']}
    gain = [rows[name, 5]['classes']['jumpsuit']['f1'] for name in ('filtered', 'real')]
    assert gain[0] > gain[1] + 0.1
    assert rows['filtered', 5]['f1_against_real'][1] > 0 and rows['filtered', 5]['p_holm'] < 0.1
    assert 0 <= result['label_errors']['5'] < 0.2
    text = verdict.report(result)
    for word in ARMS + ('with 20 real photos', 'F1 of the others', 'macro-F1', 'something else'):
        assert word in text
    assert verdict.sentence(result).count('real photos:') == 2
    picture = verdict.plot(figures)
    assert picture.shape == (460, 800, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 8


def test_no_difference_is_said_and_so_is_harm(held):
    _, _, test, (results, audit), _ = held

    def told(changed):
        figures = verdict.Figures(changed, test.labels, CLASSES, RARE, 200)
        return verdict.sentence(verdict.summary(figures, audit))
    same = {key: results['real', key[1], key[2]] for key in results}
    assert told(same).count('no difference shown, +0.000 [+0.000, +0.000]') == 2
    bad = np.tile(np.float32([1, 0]), [len(test), 1])
    assert 'hurts by' in told({key: bad if key[0] == 'filtered' else value
                               for key, value in results.items()})


def test_copies_are_found():
    train, test = _photos(40, 10, 1), _photos(40, 10, 2)

    def nearest(pictures, photos):
        gaps = np.abs(pictures.astype(float)[:, None] - photos.astype(float)[None])
        return gaps.mean((2, 3, 4)).min(1)
    gaps = evaluate.copies(train.pictures[:10], train, test, RARE, nearest)
    assert gaps['synthetic to train'] == {'median': 0.0, 'least': 0.0}
    assert gaps['synthetic to test']['median'] > 0 and gaps['test to train']['median'] > 0


def test_photos_are_split_by_product_and_labelled():
    products = [Product(None, '%d.png' % i, '', CLASSES[i % 2] if i else 'hat', (), str(i // 2))
                for i in range(20)]
    train, test = photos.split(products, 0.3, 0)
    assert len(train) + len(test) == 20 and not ({p.key for p in train} & {p.key for p in test})
    pictures = np.arange(20, dtype=np.uint8)[:, None, None, None] + np.zeros([1, 8, 8, 3], np.uint8)
    found = photos.labelled(pictures, products, CLASSES)
    assert found.labels.tolist() == [i % 2 for i in range(1, 20)]
    assert found.pictures[:, 0, 0, 0].tolist() == list(range(1, 20))
    assert found.digest() != found.part(np.arange(17)).digest()


@pytest.mark.parametrize('counts, words', [('10,x', 'is to read like'), ('50', 'there are 20')])
def test_a_sweep_of_nothing_is_refused(counts, words):
    assert Evaluate(counts='5,all,100').sweep(20) == [5, 20]
    with pytest.raises(UserError, match=words):
        Evaluate(counts=counts).sweep(20)
    with pytest.raises(UserError, match="no category 'hat'; known are: dress, jumpsuit"):
        photos.known(CLASSES, 'hat')
    with pytest.raises(UserError, match='names no categories'):
        photos.known(('',), 'dress')


def test_a_contest_that_would_show_nothing_is_refused():
    train = photos.Photos(np.zeros([6, 4, 4, 3], np.uint8), np.array([0, 1] * 3), CLASSES)
    evaluate.check(train, train, RARE, Evaluate(counts='3'))
    with pytest.raises(UserError, match='there are 3 rare photos'):
        evaluate.check(train, train, RARE, Evaluate(counts='4'))
    for test in (train.part(train.labels != RARE), train.part([])):
        with pytest.raises(UserError, match="no product to test on .* 'jumpsuit'; name another"):
            evaluate.check(train, test, RARE, Evaluate(counts='3'))
