import json
import pathlib

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, model, weights
from gpt2.config import Network

VOCABULARY = encoder.train(['a dress', 'a red dress'], 262)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=8, n_embd=8, n_head=2, n_layer=1)
RECORDED = pathlib.Path(__file__).parents[2] / 'shared' / 'parity' / 'gpt2' / 'toy_model'


@pytest.fixture
def graph():
    """The small model in a graph of its own, with a session."""
    with tf.Graph().as_default(), tflib.session(1) as sess:
        model.model(tf.zeros([1, 2], tf.int32), SMALL)
        sess.run(tf.global_variables_initializer())
        yield sess


def current(sess):
    return {v.op.name: sess.run(v) for v in tf.trainable_variables()}


@pytest.fixture
def snapshot(graph, tmp_path):
    """(folder, values) of a snapshot that was written."""
    values = model.initial(tf.trainable_variables(), 1)
    weights.write(tmp_path / 'snapshot', SMALL, values, VOCABULARY, {'step': 7})
    return tmp_path / 'snapshot', values


def test_a_snapshot_comes_back(graph, snapshot):
    folder, values = snapshot
    network, read = weights.read(folder)
    weights.assign(graph, read, folder)
    assert network == SMALL
    assert weights.about(folder) == {'step': 7}
    now = current(graph)
    assert set(now) == set(values)
    assert all(np.array_equal(now[name], values[name]) for name in values)


def test_equal_weights_make_equal_bytes(snapshot, tmp_path):
    folder, values = snapshot
    weights.write(tmp_path / 'again', SMALL, values, VOCABULARY, {'step': 7})
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / 'again' / path.name).read_bytes(), path.name


def test_the_released_layout_comes_back(graph, tmp_path):
    weights.assign(graph, model.initial(tf.trainable_variables(), 2), 'these')
    tf.train.Saver().save(graph, str(tmp_path / 'model.ckpt'), write_meta_graph=False)
    (tmp_path / 'hparams.json').write_text(json.dumps(SMALL.__dict__))
    network, read = weights.read(tmp_path)
    assert network == SMALL and weights.about(tmp_path) == {}
    now = current(graph)
    assert set(now) == set(read) and all(np.array_equal(now[name], read[name]) for name in now)


def test_the_recorded_checkpoint_is_read(tmp_path):
    if not RECORDED.exists():
        pytest.skip('the recorded checkpoint is not here: toy_model')
    network, read = weights.read(RECORDED)
    with tf.Graph().as_default(), tflib.session(1) as sess:
        model.model(tf.zeros([1, 2], tf.int32), network)
        weights.assign(sess, read, RECORDED)
        assert np.array_equal(current(sess)['model/wte'], read['model/wte'])


def test_find_takes_a_run_folder_or_the_snapshot_in_it(snapshot, tmp_path):
    folder, _ = snapshot
    assert weights.find(folder) == weights.find(tmp_path) == folder


@pytest.mark.parametrize('name', ['nowhere', ''])
def test_find_refuses_what_holds_no_model(tmp_path, name):
    with pytest.raises(UserError):
        weights.find(tmp_path / name)


@pytest.mark.parametrize('spoil', [
    lambda values: values.pop('model/wte'),
    lambda values: values.update({'model/wte': values['model/wte'][:-1]}),
    lambda values: values.update({'model/h1/ln_1/g': np.zeros(8, np.float32)})])
def test_other_names_or_shapes_are_refused_and_nothing_is_set(graph, snapshot, spoil):
    _, values = snapshot
    before = current(graph)
    spoil(values)
    with pytest.raises(UserError):
        weights.assign(graph, values, 'the file')
    assert all(np.array_equal(value, before[name]) for name, value in current(graph).items())


def test_broken_files_are_refused(snapshot, tmp_path):
    folder, _ = snapshot
    path = folder / 'weights.npz'
    whole = path.read_bytes()
    for broken in (b'', b'<html>not found</html>', whole[:len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(UserError):
            weights.read(folder)
    path.unlink()
    with pytest.raises(UserError):
        weights.read(folder)
    (folder / 'model.ckpt.index').write_bytes(b'<html>not found</html>')
    with pytest.raises(UserError):
        weights.read(folder)


def test_pickled_objects_are_not_loaded(snapshot):
    folder, _ = snapshot
    np.savez(str(folder / 'weights.npz'), wte=np.array([{'an': 'object'}], dtype=object))
    with pytest.raises(UserError):
        weights.read(folder)


def test_unknown_sizes_are_refused(snapshot):
    folder, _ = snapshot
    (folder / 'hparams.json').write_text(json.dumps(dict(SMALL.__dict__, n_expert=8)))
    with pytest.raises(UserError):
        weights.read(folder)
