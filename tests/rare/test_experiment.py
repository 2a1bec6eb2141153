"""The experiment: what each arm is trained on, resuming, and the conclusion."""

import dataclasses

import numpy as np
import pytest

from catalog.source import Product
from dnnlib.files import UserError
from rare import analysis
from rare import experiment as experiments
from rare.config import Evaluate
from rare.experiment import ARMS, Dataset, Experiment

CLASSES = ('dress', 'jumpsuit')
SIDE, RARE = 16, 1


def _photos(count, rare, seed):
    """Grey images around 100, and 150 for the rare class, which overlap."""
    random = np.random.RandomState(seed)
    labels = np.int32(np.arange(count) < rare)
    light = np.clip(random.randn(count) * 25 + 100 + 50 * labels, 0, 255)
    return Dataset(np.uint8(light)[:, None, None, None] * np.ones([1, SIDE, SIDE, 3], np.uint8),
                  labels, CLASSES)


class Classifier:
    """Two Gaussians of equal width in numpy, with or without the classes' shares."""

    def __init__(self, log, pictures, labels, weights):
        light = pictures.mean((1, 2, 3))
        sides = [light[labels == label] for label in (0, 1)]
        share = len(sides[1]) / len(labels)
        self._log, self._odds = log, np.log(share / (1 - share)) if share and not weights else 0
        self._means = [side.mean() if len(side) else 255 for side in sides]

    def probabilities(self, pictures):
        light = pictures.mean((1, 2, 3)) if len(pictures) else np.zeros(0)
        below, above = self._means
        odds = (light - (above + below) / 2) * (above - below) / 625 + self._odds
        p = 1 / (1 + np.exp(-odds))
        return np.stack([1 - p, p], 1)

    def close(self):
        self._log.append('closed')


class Classifiers:
    """Trains classifiers and logs their training sets."""

    def __init__(self):
        self.log = []

    def fit(self, pictures, labels, *, weights, augment, seed):
        self.log.append((len(pictures), int(labels.sum()), weights, augment, seed))
        return Classifier(self.log, pictures, labels, weights)


class Generator:
    """Draws grey images of twice the side, as light as the first number in w says."""

    layers, w_avg = 2, np.zeros(4, np.float32)

    def __init__(self, path):
        self.path = path

    def seeded(self, seeds):
        return np.stack([np.random.RandomState(seed).randn(4) for seed in seeds]).astype(np.float32)

    def w(self, z):
        return z

    def pictures(self, ws):
        light = np.clip(ws[:, 0, 0] * 40 + 100, 0, 255)
        return np.uint8(light)[:, None, None, None] * np.ones([1, 2 * SIDE, 2 * SIDE, 3], np.uint8)


def _generator(folder, name='a'):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(name)
    return Generator(folder / name)


def _run(folder, config, train, test, generator='a', category='jumpsuit'):
    """(Experiment, its results, log of training runs)."""
    experiment = Experiment(folder, _generator(folder, generator), train, test, category, config)
    classifiers = Classifiers()
    return experiment, experiment.run(classifiers), classifiers.log


CONFIG = Evaluate(counts='5,all', synthetic=30, seeds=2, pool=200, side=SIDE, bootstrap=200,
                  psi=1.0)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp('experiment')
    train, test = _photos(400, 20, 1), _photos(800, 80, 2)
    experiment, (results, audit), log = _run(folder, CONFIG, train, test)
    return folder, experiment, results, audit, log


def test_training_sets_of_all_arms(finished):
    _, experiment, results, audit, log = finished
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
    assert {len(some) for some in experiment.pictures(5, 1).values()} == {30}


def test_subsampling_draws_by_seed_and_keeps_other_classes():
    train = _photos(100, 30, 1)
    some = [experiments.subsampled(train, RARE, 10, seed) for seed in (0, 0, 1)]
    assert [int(each.labels.sum()) for each in some] == [10] * 3
    assert all((each.labels == 0).sum() == 70 for each in some)
    np.testing.assert_array_equal(some[0].pictures, some[1].pictures)
    assert not np.array_equal(some[0].pictures, some[2].pictures)


def test_duplicates_are_copies_and_too_few_filtered_images_are_repeated():
    train = _photos(40, 3, 1)
    drawn = {'synthetic': np.full([9, SIDE, SIDE, 3], 7, np.uint8),
             'filtered': np.full([2, SIDE, SIDE, 3], 9, np.uint8)}
    more, weights, augment = experiments.training_set('duplicates', train, RARE, drawn, 7)
    assert not weights and not augment and len(more) == 47
    assert {each.tobytes() for each in more.pictures[40:]} == {
        each.tobytes() for each in train.pictures[:3]}
    assert (experiments.training_set('filtered', train, RARE, drawn, 7)[0].pictures[40:] == 9).all()
    alone = experiments.training_set('synthetic only', train, RARE, drawn, 7)[0]
    assert len(alone) == 44 and (alone.pictures[alone.labels == RARE] == 9).all()
    drawn['filtered'] = drawn['filtered'][:0]
    assert len(experiments.training_set('filtered', train, RARE, drawn, 7)[0]) == 40


def test_a_stopped_experiment_is_resumed_and_can_be_extended(finished):
    folder, experiment, before, _, _ = finished
    pair = experiment.train, experiment.test
    removed, = (folder / 'results').glob('filtered-5-1-*.npz')
    removed.unlink()
    _, (again, _), log = _run(folder, CONFIG, *pair)
    assert len(log) == 2  # one training, closed
    for key in before:
        np.testing.assert_array_equal(before[key], again[key])
    between = Evaluate(**dict(CONFIG.fixed(), counts='5,10,all', seeds=2, pool=200, psi=1.0))
    _, (results, audit), log = _run(folder, between, *pair)
    assert set(audit) == {5, 10, 20} and len(results) == 3 * 7 * 2
    assert len(log) == 2 * 2 * (1 + len(ARMS) + 1)  # those of 10 photos, and the audit
    few = Evaluate(**dict(CONFIG.fixed(), counts='5,10', seeds=2, pool=200, psi=1.0))
    assert not _run(folder, few, *pair)[2]  # the audit has all photos, whatever the counts
    more = Evaluate(**dict(CONFIG.fixed(), counts='5,8,all', seeds=1, pool=200, psi=1.0))
    _, (results, _), log = _run(folder, more, *pair, generator='b')
    assert len(results) == 3 * 7
    # Another generator: the baselines of earlier counts are reused.
    assert len(log) == 2 * (len(experiments.BASELINES) + 3 * (1 + len(experiments.SYNTHETIC)) + 1)
    (folder / 'experiment.json').rename(folder / 'contest.json')  # as version 0.3 named it
    saved = (folder / 'contest.json').read_bytes()
    with pytest.raises(UserError, match='another synthetic'):
        _run(folder, Evaluate(**dict(CONFIG.fixed(), synthetic=31)), *pair)
    assert (folder / 'contest.json').read_bytes() == saved
    assert not (folder / 'experiment.json').exists()


def test_a_class_that_is_not_in_the_pool_gets_no_synthetic_images(tmp_path):
    class Dark(Generator):
        def pictures(self, ws):
            return Generator.pictures(self, ws) // 20
    train = _photos(100, 20, 1)
    generator = Dark(_generator(tmp_path).path)
    config = Evaluate(**dict(CONFIG.fixed(), counts='all', seeds=1, pool=100))
    experiment = Experiment(tmp_path, generator, train, train, 'jumpsuit', config)
    experiment.run(Classifiers())
    pictures = experiment.pictures(20, 0)
    assert pictures['synthetic'].shape == pictures['filtered'].shape == (0, SIDE, SIDE, 3)
    config = dataclasses.replace(config, side=SIDE, fmaps=2, steps=1, batch=4)
    with experiments.Classifiers(CLASSES, config) as classifiers:
        one = classifiers.fit(train.pictures, train.labels, weights=False, augment=False, seed=0)
        assert one.probabilities(pictures['filtered']).shape == (0, 2)
        one.close()


def test_a_real_effect_is_found(finished):
    """With 5 of 400 the baseline hardly ever predicts the rare class; more images help."""
    _, experiment, results, audit, _ = finished
    figures = analysis.Figures(results, experiment.test.labels, CLASSES, RARE, CONFIG.bootstrap)
    result = analysis.summary(figures, audit)
    rows = {(row['arm'], row['count']): row for row in result['arms']}
    gain = [rows[name, 5]['classes']['jumpsuit']['f1'] for name in ('filtered', 'real')]
    assert gain[0] > gain[1] + 0.1
    assert rows['filtered', 5]['f1_against_real'][1] > 0 and rows['filtered', 5]['p_holm'] < 0.1
    assert 0 <= result['label_errors']['5'] < 0.2
    text = analysis.report(result)
    for word in ARMS + ('with 20 real photos', 'F1 of the others', 'macro-F1', 'label errors'):
        assert word in text
    assert analysis.sentence(result).count('real photos:') == 2
    picture = analysis.plot(figures)
    assert picture.shape == (460, 800, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 8


def test_no_difference_and_harm_are_reported(finished):
    _, experiment, results, audit, _ = finished

    def conclusion(changed):
        figures = analysis.Figures(changed, experiment.test.labels, CLASSES, RARE, 200)
        return analysis.sentence(analysis.summary(figures, audit))
    same = {key: results['real', key[1], key[2]] for key in results}
    assert conclusion(same).count('no difference shown, +0.000 [+0.000, +0.000]') == 2
    bad = np.tile(np.float32([1, 0]), [len(experiment.test), 1])
    assert 'hurts by' in conclusion({key: bad if key[0] == 'filtered' else value
                               for key, value in results.items()})


def test_copies_are_found(tmp_path):
    train, test = _photos(40, 10, 1), _photos(40, 10, 2)
    experiment = Experiment(tmp_path, _generator(tmp_path), train, test, 'jumpsuit', CONFIG)
    gaps = experiment.copies(train.pictures[:10])
    assert gaps['synthetic to train'] == pytest.approx({'median': 0, 'least': 0}, abs=1e-4)
    assert min(gaps[name]['median'] for name in ('synthetic to test', 'test to train')) > 1e-3
    assert set(experiment.copies(train.pictures[:0])) == {'test to train'}


def test_copies_are_found_at_any_size(tmp_path):
    train, test = [Dataset(experiments.resized(photos.pictures, 100), photos.labels, CLASSES)
                   for photos in (_photos(40, 10, 1), _photos(40, 10, 2))]
    experiment = Experiment(tmp_path, _generator(tmp_path), train, test, 'jumpsuit',
                            dataclasses.replace(CONFIG, side=100))
    found = experiment.copies(train.pictures[:10])['synthetic to train']
    assert found == pytest.approx({'median': 0, 'least': 0}, abs=1e-4)


def test_another_seed_has_other_synthetic_images(finished):
    folder, experiment, _, _, _ = finished
    other = Experiment(folder, _generator(folder), experiment.train, experiment.test, 'jumpsuit',
                       dataclasses.replace(CONFIG, seed=1))
    assert experiment.pictures(5, 1) and other.pictures(5, 1) is None  # that of another pool


def test_photos_are_split_by_product_and_labelled():
    products = [Product(None, f'{i}.png', '', CLASSES[i % 2] if i else 'hat', (), str(i // 2))
                for i in range(20)]
    train, test = experiments.split(products, 0.3, 0)
    assert len(train) + len(test) == 20 and not ({p.key for p in train} & {p.key for p in test})
    pictures = np.arange(20, dtype=np.uint8)[:, None, None, None] + np.zeros([1, 8, 8, 3], np.uint8)
    found = experiments.dataset_of(products, pictures, CLASSES)
    assert found.labels.tolist() == [i % 2 for i in range(1, 20)]
    assert found.pictures[:, 0, 0, 0].tolist() == list(range(1, 20))
    assert found.digest() != found.subset(np.arange(17)).digest()


@pytest.mark.parametrize('counts, words', [('10,x', 'is not a list like'), ('50', 'there are 20')])
def test_impossible_counts_are_refused(counts, words):
    assert Evaluate(counts='5,all,100').sweep(20) == [5, 20]
    with pytest.raises(UserError, match=words):
        Evaluate(counts=counts).sweep(20)
    with pytest.raises(UserError, match="no category 'hat'; known are: dress, jumpsuit"):
        experiments.class_index(CLASSES, 'hat')
    with pytest.raises(UserError, match='names no categories'):
        experiments.class_index(('',), 'dress')


def test_an_experiment_that_cannot_measure_anything_is_refused(tmp_path):
    with pytest.raises(UserError, match=r'1 product\(s\) are too few to train on some'):
        experiments.split([Product(None, '', '', 'dress', (), 'a')], 0.3, 0)
    train = Dataset(np.zeros([6, SIDE, SIDE, 3], np.uint8), np.array([0, 1] * 3), CLASSES)
    generator, out = _generator(tmp_path), tmp_path / 'out'
    with pytest.raises(UserError, match='there are 3 rare photos'):
        Experiment(out, generator, train, train, 'jumpsuit', Evaluate(counts='4'))
    for test in (train.subset(train.labels != RARE), train.subset([])):
        with pytest.raises(UserError, match=r"no product to test on .* 'jumpsuit'; name another"):
            Experiment(out, generator, train, test, 'jumpsuit', Evaluate(counts='3'))
    with pytest.raises(UserError, match="no category 'hat'; known are: dress, jumpsuit"):
        Experiment(out, generator, train, train, 'hat', Evaluate(counts='3'))
    assert not out.exists()
    Experiment(out, generator, train, train, 'jumpsuit', Evaluate(counts='3'))
