import json

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, model, snapshots
from gpt2.config import Network, shapes
from gpt2.snapshots import Snapshot

VOCABULARY = encoder.train(['a dress', 'a red dress'], 262)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=8, n_embd=8, n_head=2, n_layer=1)
RELEASED = {124439808: dict(n_embd=768, n_head=12, n_layer=12),
            354823168: dict(n_embd=1024, n_head=16, n_layer=24),
            774030080: dict(n_embd=1280, n_head=20, n_layer=36),
            1557611200: dict(n_embd=1600, n_head=25, n_layer=48)}


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
    snapshots.write(tmp_path / 'snapshot', Snapshot(SMALL, values, VOCABULARY, {'step': 7}))
    return tmp_path / 'snapshot', values


def test_a_snapshot_comes_back(graph, snapshot):
    folder, values = snapshot
    network, weights, vocabulary, facts = snapshots.read(folder)
    assert network == SMALL and facts == {'step': 7}
    assert vocabulary.digest() == VOCABULARY.digest()
    assert set(weights) == set(values)
    assert all(np.array_equal(weights[name], values[name]) for name in values)


def test_equal_weights_make_equal_bytes(snapshot, tmp_path):
    folder, values = snapshot
    snapshots.write(tmp_path / 'again', Snapshot(SMALL, values, VOCABULARY, {'step': 7}))
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / 'again' / path.name).read_bytes(), path.name


def test_the_released_layout_comes_back(graph, tmp_path):
    tflib.assign(graph, model.initial(tf.trainable_variables(), 2))
    tf.train.Saver().save(graph, str(tmp_path / 'model.ckpt'), write_meta_graph=False)
    (tmp_path / 'hparams.json').write_text(json.dumps(SMALL.__dict__))
    VOCABULARY.save(tmp_path)
    network, read, _, facts = snapshots.read(tmp_path)
    assert network == SMALL and facts == {}
    now = current(graph)
    assert set(now) == set(read) and all(np.array_equal(now[name], read[name]) for name in now)


def test_a_numbered_checkpoint_is_read(graph, tmp_path):
    """As the tools of 2019 left it: of two, the file `checkpoint` names the newer one."""
    (tmp_path / 'hparams.json').write_text(json.dumps(SMALL.__dict__))
    VOCABULARY.save(tmp_path)
    saver = tf.train.Saver()
    for number in (1000, 2000):
        tflib.assign(graph, model.initial(tf.trainable_variables(), number))
        saver.save(graph, str(tmp_path / 'model'), number, write_meta_graph=False)
    read = snapshots.read(tmp_path).weights
    assert all(np.array_equal(value, read[name]) for name, value in current(graph).items())


def released_shapes(n_embd, n_head, n_layer):
    """Names and shapes of the variables of a released checkpoint."""
    shapes = {'wte': [50257, n_embd], 'wpe': [1024, n_embd]}
    for norm in ['ln_f'] + [f'h{i}/ln_{k}' for i in range(n_layer) for k in (1, 2)]:
        shapes.update({norm + '/g': [n_embd], norm + '/b': [n_embd]})
    for i in range(n_layer):
        for dense, inputs, outputs in (('attn/c_attn', 1, 3), ('attn/c_proj', 1, 1),
                                       ('mlp/c_fc', 1, 4), ('mlp/c_proj', 4, 1)):
            shapes[f'h{i}/{dense}/w'] = [1, inputs * n_embd, outputs * n_embd]
            shapes[f'h{i}/{dense}/b'] = [outputs * n_embd]
    return {'model/' + name: shape for name, shape in shapes.items()}


def test_a_full_size_graph_has_exactly_the_released_variables():
    with tf.Graph().as_default():
        model.model(tf.zeros([1, 1], tf.int32), Network())
        assert {v.op.name: v.shape.as_list() for v in tf.global_variables()} == released_shapes(
            **RELEASED[124439808]) == shapes(Network())


@pytest.mark.parametrize('parameters', sorted(RELEASED))
def test_released_sizes_have_the_released_number_of_parameters(parameters):
    """Counted in graphs of one layer and of two: each further one adds the same."""
    sizes, counts = RELEASED[parameters], []
    for layers in (1, 2):
        with tf.Graph().as_default():
            model.model(tf.zeros([1, 1], tf.int32), Network(**dict(sizes, n_layer=layers)))
            counts.append(tflib.parameters(tf.trainable_variables()))
    assert counts[0] + (sizes['n_layer'] - 1) * (counts[1] - counts[0]) == parameters


def test_find_takes_a_run_folder_or_the_snapshot_in_it_or_a_file_of_that(snapshot, tmp_path):
    folder, _ = snapshot
    assert snapshots.find(folder) == snapshots.find(tmp_path) == folder
    assert snapshots.find(folder / 'weights.npz') == folder
    assert snapshots.read(tmp_path).network == SMALL


def test_arrays_of_half_the_size_are_read(snapshot):
    folder, values = snapshot
    np.savez(str(folder / 'weights.npz'),
             **{name: value.astype(np.float16) for name, value in values.items()})
    for name, value in snapshots.read(folder).weights.items():
        assert value.dtype == np.float32, name
        np.testing.assert_allclose(value, values[name], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize('name', ['nowhere', ''])
def test_find_refuses_what_holds_no_model(tmp_path, name):
    with pytest.raises(UserError, match=r'does not exist|is not a text model'):
        snapshots.find(tmp_path / name)


@pytest.mark.parametrize('spoil, expected', [
    (lambda values: values.pop('model/wte'), 'model/wte is missing and should be'),
    (lambda values: values.update({'model/wte': values['model/wte'][:-1]}), 'of the same model'),
    (lambda values: values.update({'model/h1/ln_1/g': np.zeros(8, np.float32)}),
     'should be absent'),
    (lambda values: values.update({'model/\x1b[31m': np.zeros(8, np.float32)}), 'x1b'),
    (lambda values: values.update({'model/ln_f/g': np.array(['a'] * 8)}), 'the type <U1'),
    (lambda values: values.update({'model/ln_f/g': np.ones(8, np.int32)}), 'the type int32'),
    (lambda values: values.update({'model/ln_f/g': np.full(8, np.nan, np.float32)}), 'not finite'),
    (lambda values: values.update({'model/ln_f/g': np.full(8, 1e300)}), 'not finite')])
def test_other_names_shapes_types_or_values_are_refused(snapshot, spoil, expected):
    folder, values = snapshot
    spoil(values)
    np.savez(str(folder / 'weights.npz'), **values)
    with pytest.raises(UserError, match=expected) as error:
        snapshots.read(folder)
    assert str(error.value).isprintable()


def test_broken_files_are_refused(snapshot):
    folder, _ = snapshot
    path = folder / 'weights.npz'
    whole = path.read_bytes()
    for broken in (b'', b'<html>not found</html>', whole[:len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r'weights\.npz'):
            snapshots.read(folder)
    path.unlink()
    with pytest.raises(UserError, match=r'has neither weights\.npz nor'):
        snapshots.read(folder)


def test_pickled_objects_are_not_loaded(snapshot):
    folder, _ = snapshot
    np.savez(str(folder / 'weights.npz'), wte=np.array([{'an': 'object'}], dtype=object))
    with pytest.raises(UserError, match='no plain array'):
        snapshots.read(folder)


@pytest.mark.parametrize('change', [
    {'n_expert': 8}, {'n_layer': 10 ** 9}, {'n_layer': 0}, {'n_embd': -8}, {'n_embd': 9},
    {'n_head': '2'}, {'n_ctx': 8.0}, {'n_ctx': None}, {'n_vocab': True}])
def test_sizes_that_no_model_has_are_refused(snapshot, change):
    folder, _ = snapshot
    (folder / 'hparams.json').write_text(json.dumps(dict(SMALL.__dict__, **change)))
    with pytest.raises(UserError, match=r'hparams\.json') as error:
        snapshots.read(folder)
    assert str(error.value).isprintable()


@pytest.mark.parametrize('content', ['', '[]', 'null', '[' * 5000, '{"n_layer": 1e999}'])
def test_what_is_no_json_object_is_refused(snapshot, content):
    folder, _ = snapshot
    for name in ('hparams.json', 'snapshot.json'):
        whole = (folder / name).read_text()
        (folder / name).write_text(content)
        with pytest.raises(UserError, match=name):
            snapshots.read(folder)
        (folder / name).write_text(whole)


def test_a_vocabulary_of_another_size_is_refused(snapshot):
    folder, _ = snapshot
    encoder.train(['a dress'], 260).save(folder)
    with pytest.raises(UserError, match='a vocabulary of 260'):
        snapshots.read(folder)


def test_facts_of_another_type_are_refused(snapshot):
    folder, _ = snapshot
    (folder / 'snapshot.json').write_text('{"tagged": "no"}')
    with pytest.raises(UserError, match="'tagged' must be true or false"):
        snapshots.read(folder)
