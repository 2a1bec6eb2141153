"""An image tagger is trained on a toy catalogue, saved, loaded and resumed."""

import json

import numpy as np
import pytest

from dnnlib.files import UserError
from dnnlib.runs import Interrupted, Run
from tagger import image_tagger, net
from tagger.config import Config

HEADS = {'category': ('bottom', 'top'), 'colour': ('blue', 'red')}
CONFIG = Config(side=16, fmaps=4, features=8, steps=60, batch=16, learning_rate=0.02, threads=1)


def toy(count, seed=0):
    """Grey images with a red or blue bar at the top or at the bottom, and their labels."""
    rng = np.random.RandomState([seed, 9])
    pictures = rng.randint(100, 156, [count, 16, 16, 3]).astype(np.uint8)
    labels = {name: rng.randint(0, 2, count) for name in HEADS}
    for picture, top, red in zip(pictures, labels['category'], labels['colour']):
        bar = picture[1:6] if top else picture[10:15]
        bar[:, 3:13] = [220, 30, 30] if red else [30, 30, 220]
    return pictures, labels


def right(model, data):
    pictures, labels = data
    probabilities = model.probabilities(pictures)
    return min((probabilities[name].argmax(1) == labels[name]).mean() for name in HEADS)


@pytest.fixture(scope='module')
def model():
    return image_tagger.fit(*toy(96), HEADS, CONFIG, validation=toy(40, 1), quiet=True)


def test_a_tagger_fits_a_toy_catalogue(model):
    assert right(model, toy(60, 2)) > 0.95


def test_outputs_have_the_promised_shapes(model):
    pictures = toy(3, 3)[0]
    probabilities = model.probabilities(pictures)
    assert list(probabilities) == list(HEADS)
    assert probabilities['colour'].shape == (3, 2) and probabilities['colour'].dtype == np.float32
    assert probabilities['colour'].sum(1) == pytest.approx(1)
    assert model.features(pictures).shape == (3, 8)
    tags = model.tags(pictures)
    assert len(tags) == 3 and tags[0]['colour'][0] in HEADS['colour']
    assert tags[0]['colour'][1] == pytest.approx(probabilities['colour'][0].max())


def test_other_sizes_are_resized(model):
    pictures, labels = toy(30, 4)
    large = pictures.repeat(2, 1).repeat(2, 2)
    assert right(model, (large, labels)) > 0.9


def test_a_saved_tagger_is_the_same_to_half_precision(model, tmp_path):
    image_tagger.save(tmp_path / 'tagger.npz', model, made={'by': 'a test'})
    again = image_tagger.ImageTagger(tmp_path / 'tagger.npz', 1)
    assert again.heads == HEADS and again.side == 16 and again.about['made'] == {'by': 'a test'}
    pictures = toy(10, 5)[0]
    assert again.probabilities(pictures)['colour'] == pytest.approx(
        model.probabilities(pictures)['colour'], abs=0.02)
    again.close()


def test_other_files_are_refused(tmp_path):
    np.savez(str(tmp_path / 'other.npz'), about=np.array('{"format": "other"}'))
    (tmp_path / 'text.npz').write_text('no archive')
    for name in ('other.npz', 'text.npz', 'none.npz'):
        with pytest.raises(UserError, match=r'give the path of a tagger\.npz'):
            image_tagger.ImageTagger(tmp_path / name)


@pytest.mark.parametrize('change', [
    {'heads': 5}, {'heads': []}, {'heads': [['category', []]]},
    {'heads': [['category', ['a', 'a']]]},
    {'config': {'side': 10 ** 9}}, {'config': {'side': '16'}}, {'config': None},
    {'temperatures': {'category': 0, 'colour': 1}}, {'temperatures': {'category': 'x'}},
    {'temperatures': {}}, {'offsets': {'category': [0], 'colour': [0, 0]}},
    {'offsets': {'category': [0, float('nan')], 'colour': [0, 0]}}, {'impossible': [[0, 4]]},
    {'impossible': [[-1, 'x']]}, {'impossible': 3}])
def test_file_contents_are_validated(model, tmp_path, change):
    image_tagger.save(tmp_path / 'tagger.npz', model)
    with np.load(str(tmp_path / 'tagger.npz')) as arrays:
        values = dict(arrays)
    about = json.dumps(dict(json.loads(str(values.pop('about'))), **change))
    np.savez(str(tmp_path / 'tagger.npz'), about=np.array(about), **values)
    with pytest.raises(UserError, match=r'give the path of a tagger\.npz') as error:
        image_tagger.ImageTagger(tmp_path / 'tagger.npz')
    assert str(error.value).isprintable()


@pytest.mark.parametrize('spoil', [
    lambda values: values.pop('conv0/weight'),
    lambda values: values.update({'conv0/weight': values['conv0/weight'][:2]}),
    lambda values: values.update({'conv0/scale': values['conv0/scale'] * np.nan}),
    lambda values: values.update({'conv0/scale': np.array(['a'] * 4)})])
def test_weights_of_another_network_are_refused(model, tmp_path, spoil):
    image_tagger.save(tmp_path / 'tagger.npz', model)
    with np.load(str(tmp_path / 'tagger.npz')) as arrays:
        values = dict(arrays)
    spoil(values)
    np.savez(str(tmp_path / 'tagger.npz'), **values)
    with pytest.raises(UserError, match=r'give the path of a tagger\.npz'):
        image_tagger.ImageTagger(tmp_path / 'tagger.npz')


def test_one_graph_serves_many_training_runs():
    data = toy(40)
    short = Config(side=16, fmaps=4, features=8, steps=5, batch=16, threads=1)
    alone = [image_tagger.fit(*data, HEADS, short, quiet=True).values]
    with net.Training(HEADS, short) as training:
        shared = [image_tagger.fit(*data, HEADS, short, training=training, quiet=True).values
                  for _ in range(2)]
    for values in shared:
        for name, value in alone[0].items():
            assert np.array_equal(value, values[name]), name


def test_weights_of_classes_of_samples_and_of_the_unknown():
    labels = {'category': np.array([0, 0, 0, 1]), 'colour': np.array([1, -1, 0, 0])}
    weights = image_tagger.loss_weights(labels, HEADS, CONFIG, None)
    assert weights['category'].tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    assert weights['colour'][1] == 0
    plain = Config(class_weights=False)
    weights = image_tagger.loss_weights(labels, HEADS, plain, [1, 2, 3, 4])
    assert weights['category'].tolist() == [1, 2, 3, 4]
    assert weights['colour'].tolist() == [1, 0, 3, 4]


def test_calibration_undoes_the_bias_of_class_weights():
    """Grey images have no information, so the best prediction is the frequency of each value."""
    rng = np.random.RandomState([8])
    pictures = rng.randint(100, 156, [300, 16, 16, 3]).astype(np.uint8)
    known = (rng.uniform(size=300) < 0.1).astype(int)
    model = image_tagger.fit(pictures[:150], {'category': known[:150]}, {'category': ('no', 'yes')},
                       CONFIG, validation=(pictures[150:], {'category': known[150:]}), quiet=True)
    weighed = image_tagger.calibration.softmax(model.logits(pictures[150:])['category']
                                         - model.about['offsets']['category'])[:, 1].mean()
    found = model.probabilities(pictures[150:])['category'][:, 1].mean()
    assert abs(found - known[150:].mean()) < 0.06 < abs(weighed - known[150:].mean())


def test_every_image_occurs_once_per_epoch():
    config = Config(batch=6, seed=4)
    seen = np.concatenate([image_tagger.minibatch(9, step, config) for step in range(3)])
    assert sorted(seen[:9]) == list(range(9)) == sorted(seen[9:])
    assert seen[:9].tolist() != seen[9:].tolist()


def test_a_resumed_training_is_identical(tmp_path, monkeypatch):
    data = toy(40)
    short = Config(side=16, fmaps=4, features=8, steps=8, batch=16, threads=1)
    unbroken = image_tagger.fit(*data, HEADS, short, quiet=True).values
    run, step = Run(tmp_path / 'run', {}), net.Training.step

    def stopping(self, *given, **more):
        run.stopping = len(steps) == 2
        steps.append(1)
        return step(self, *given, **more)
    steps = []
    monkeypatch.setattr(net.Training, 'step', stopping)
    with pytest.raises(Interrupted, match='update 3'), run.writing():
        image_tagger.fit(*data, HEADS, short, run=run, quiet=True)
    run.stopping = False
    with run.writing():
        finished = image_tagger.fit(*data, HEADS, short, run=run, quiet=True).values
    assert len(steps) == 8
    for name, value in unbroken.items():
        assert np.array_equal(value, finished[name]), name


def test_a_loss_that_is_not_finite_stops_training():
    data = toy(20)
    with pytest.raises(UserError, match='smaller --learning-rate'):
        image_tagger.fit(*data, HEADS, Config(
            side=16, fmaps=4, features=8, steps=5, batch=16, threads=1),
                   sample_weights=np.full(20, np.inf), quiet=True)


def test_impossible_options_are_refused():
    with pytest.raises(UserError, match='side'):
        Config(side=8)
