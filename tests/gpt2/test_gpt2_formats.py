import hashlib
import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from dnnlib import files, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import encoder, formats, model, snapshots, write
from gpt2.config import Network
from gpt2.snapshots import Snapshot

VOCABULARY = encoder.train(['a red dress', 'a blue dress', 'a red skirt'], 270)
SMALL = Network(n_vocab=VOCABULARY.size, n_ctx=24, n_embd=16, n_head=2, n_layer=2)
PROMPTS = ['', 'a red', 'skirt']


@pytest.fixture(scope='module')
def values():
    with tf.Graph().as_default():
        model.model(tf.zeros([1, 2], tf.int32), SMALL)
        values = model.initial(tf.trainable_variables(), 3)
    rng = np.random.RandomState([4])
    return {name: (value * 4 + rng.standard_normal(value.shape) * 0.1).astype(np.float32)
            for name, value in values.items()}


@pytest.fixture(scope='module')
def snapshot(values, tmp_path_factory):
    folder = tmp_path_factory.mktemp('snapshot')
    snapshots.write(folder, Snapshot(SMALL, values, VOCABULARY, {'step': 7, 'tagged': True}))
    return folder


@pytest.fixture(scope='module', params=formats.LAYOUTS)
def exported(request, snapshot, tmp_path_factory):
    folder = tmp_path_factory.mktemp('exported') / request.param
    formats.export(snapshots.read(snapshot), folder, request.param)
    return folder


@pytest.fixture(scope='module')
def unchanged(snapshot, tmp_path_factory):
    folder = tmp_path_factory.mktemp('exported') / 'theirs'
    formats.export(snapshots.read(snapshot), folder, 'transformers')
    return folder


@pytest.fixture
def theirs(unchanged, tmp_path):
    """A folder in the layout of transformers, to be changed."""
    shutil.copytree(str(unchanged), str(tmp_path / 'theirs'))
    return tmp_path / 'theirs'


def tensors(folder):
    with safe_open(str(folder / 'model.safetensors'), framework='np') as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def same(some, others):
    return set(some) == set(others) and all(np.array_equal(some[k], others[k]) for k in some)


def test_an_exported_model_comes_back_and_writes_the_same(exported, snapshot, values):
    model_ = snapshots.read(exported)
    assert model_.network == SMALL and same(model_.weights, values)
    assert model_.facts == {'step': 7, 'tagged': True}
    texts = [write.Writer(folder, threads=1).texts(PROMPTS, seeds=[1, 2, 3])
             for folder in (snapshot, exported)]
    assert texts[0] == texts[1] and len(set(texts[0])) > 1


def test_the_same_model_makes_the_same_weights(exported, snapshot, tmp_path):
    formats.export(snapshots.read(snapshot), tmp_path / 'again', exported.name)
    for path in sorted(exported.iterdir()):
        if path.suffix != '.meta':  # a graph, in which TensorFlow notes the time
            assert path.read_bytes() == (tmp_path / 'again' / path.name).read_bytes(), path.name


def test_the_released_layout_is_that_of_the_release(snapshot, values, tmp_path):
    formats.export(snapshots.read(snapshot), tmp_path / 'made', 'released')
    folder = tmp_path / 'moved'
    (tmp_path / 'made').rename(folder)
    assert {path.name for path in folder.iterdir()} == {
        'checkpoint', 'model.ckpt.data-00000-of-00001', 'model.ckpt.index', 'model.ckpt.meta',
        'hparams.json', 'encoder.json', 'vocab.bpe', 'snapshot.json'}
    assert tf.train.latest_checkpoint(str(folder)) == str(folder / 'model.ckpt')
    assert dict(tf.train.list_variables(str(folder))) == {
        name: list(value.shape) for name, value in values.items()}
    assert (folder / 'model.ckpt.data-00000-of-00001').stat().st_size == 4 * sum(
        value.size for value in values.values())
    # The released files themselves, by their hashes: one is the same for every size.
    files.write_json(tmp_path / 'hparams.json', Network().__dict__)
    for path, hashed in ((folder / 'checkpoint', 'dd1b025d2e155283'),
                         (tmp_path / 'hparams.json', 'd9d56e4121c42716')):
        assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(hashed), path.name


def test_the_checkpoint_is_restored_by_its_own_graph(snapshot, values, tmp_path):
    """As tools do that bring no graph along."""
    formats.export(snapshots.read(snapshot), tmp_path / 'made', 'released')
    path = str(tmp_path / 'made' / 'model.ckpt')
    with tf.Graph().as_default(), tflib.session(1) as sess:
        tf.train.import_meta_graph(path + '.meta').restore(sess, path)
        assert same({v.op.name: sess.run(v) for v in tf.trainable_variables()}, values)


def test_names_and_shapes_of_transformers(theirs):
    found = {name: list(value.shape) for name, value in tensors(theirs).items()}
    assert len(found) == 4 + 12 * SMALL.n_layer
    assert found['transformer.wte.weight'] == [VOCABULARY.size, 16]
    assert found['transformer.wpe.weight'] == [24, 16]
    assert found['transformer.h.1.attn.c_attn.weight'] == [16, 48]
    assert found['transformer.h.1.attn.c_attn.bias'] == [48]
    assert found['transformer.h.0.mlp.c_proj.weight'] == [64, 16]
    assert found['transformer.h.0.ln_2.bias'] == found['transformer.ln_f.weight'] == [16]


def test_the_end_of_text_of_a_small_vocabulary_is_told(theirs):
    config = files.read_json(theirs / 'config.json')
    assert config['eos_token_id'] == config['bos_token_id'] == VOCABULARY.end
    assert files.read_json(theirs / 'vocab.json')['<|endoftext|>'] == VOCABULARY.end


@pytest.mark.parametrize('prefix', ['', 'transformer.'])
def test_masks_and_the_second_table_are_ignored(theirs, values, prefix):
    """As published, without a prefix and with masks; as saved after training, with both."""
    plain = {prefix + name[len('transformer.'):]: value for name, value in tensors(theirs).items()}
    for i in range(SMALL.n_layer):
        plain[prefix + f'h.{i}.attn.bias'] = np.tril(np.ones([1, 1, 24, 24], np.uint8))
        plain[prefix + f'h.{i}.attn.masked_bias'] = np.float32([-1e4])
    plain['lm_head.weight'] = plain[prefix + 'wte.weight']
    save_file(plain, str(theirs / 'model.safetensors'))
    assert same(snapshots.read(theirs).weights, values)


def test_half_precision_is_read(theirs, values):
    save_file({name: value.astype(np.float16) for name, value in tensors(theirs).items()},
              str(theirs / 'model.safetensors'))
    for name, value in snapshots.read(theirs / 'model.safetensors').weights.items():
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, values[name], rtol=1e-3, atol=1e-6)


def test_parts_are_put_together_and_a_lost_one_is_noticed(theirs, values):
    whole = tensors(theirs)
    (theirs / 'model.safetensors').unlink()
    for part in (1, 2):
        save_file({name: whole[name] for i, name in enumerate(sorted(whole)) if i % 2 == part - 1},
                  str(theirs / f'model-0000{part}-of-00002.safetensors'))
    assert same(snapshots.read(theirs).weights, values)
    (theirs / 'model-00002-of-00002.safetensors').unlink()
    with pytest.raises(UserError, match='is missing and should be'):
        write.Writer(theirs)


@pytest.mark.parametrize('change', [
    {'model_type': 'gpt_neo'}, {'activation_function': 'gelu'}, {'layer_norm_epsilon': 1e-6},
    {'n_inner': 48}, {'scale_attn_by_inverse_layer_idx': True}, {'tie_word_embeddings': False},
    {'model_type': ['x\x1b'] * 100},
    {'vocab_size': 300}, {'n_layer': None}, {'n_layer': 10 ** 9}, {'n_layer': 3}, {'n_embd': '16'},
    {'n_head': 0}, {'n_head': 3}, {'n_positions': -5}, {'n_positions': 25}, {'vocab_size': 1.5}])
def test_other_models_are_refused(theirs, change):
    config = dict(files.read_json(theirs / 'config.json'), **change)
    files.write_json(theirs / 'config.json',
                     {name: value for name, value in config.items() if value is not None})
    with pytest.raises(UserError, match=r'GPT-2 model|vocabulary|missing|should be') as error:
        snapshots.read(theirs)
    assert str(error.value).isprintable() and len(str(error.value)) < 400


def test_the_inner_width_may_be_written_out(theirs):
    config = dict(files.read_json(theirs / 'config.json'), n_inner=64)
    files.write_json(theirs / 'config.json', config)
    assert snapshots.read(theirs).network == SMALL


def test_weights_that_gpt2_has_not_are_refused(theirs):
    save_file(dict(tensors(theirs), **{'score.weight': np.zeros([2, 16], np.float32)}),
              str(theirs / 'model.safetensors'))
    with pytest.raises(UserError, match=r'score\.weight'):
        snapshots.read(theirs)


def test_broken_files_are_refused(theirs):
    path = theirs / 'model.safetensors'
    whole = path.read_bytes()
    for broken in (b'', b'<html>not found</html>', whole[:len(whole) // 2], whole[:-1]):
        path.write_bytes(broken)
        with pytest.raises(UserError, match='cannot be read'):
            snapshots.read(theirs)
    path.unlink()
    with pytest.raises(UserError, match=r'no model\.safetensors'):
        snapshots.read(theirs)


def test_bfloat16_is_refused(theirs):
    """Numpy has no such type: each number is the upper half of a float32."""
    header, data = {}, b''
    for name, value in tensors(theirs).items():
        half = (value.view(np.uint32) >> 16).astype('<u2').tobytes()
        header[name] = {'dtype': 'BF16', 'shape': list(value.shape),
                        'data_offsets': [len(data), len(data) + len(half)]}
        data += half
    text = json.dumps(header).encode()
    (theirs / 'model.safetensors').write_bytes(len(text).to_bytes(8, 'little') + text + data)
    with pytest.raises(UserError, match='BF16'):
        snapshots.read(theirs)


def test_what_is_there_is_not_written_over(snapshot, tmp_path):
    (tmp_path / 'mine').mkdir()
    model_ = snapshots.read(snapshot)
    with pytest.raises(UserError, match='mine exists'):
        formats.export(model_, tmp_path / 'mine', 'released')
    assert list((tmp_path / 'mine').iterdir()) == []


def test_values_that_are_not_finite_are_refused(theirs):
    changed = tensors(theirs)
    changed['transformer.wpe.weight'][3, 4] = np.inf
    save_file(changed, str(theirs / 'model.safetensors'))
    with pytest.raises(UserError, match='model/wpe holds values that are not finite'):
        snapshots.read(theirs)


def checkpoint(folder):
    return folder / 'model.ckpt.data-00000-of-00001'


@pytest.mark.parametrize('spoil', [
    lambda folder: checkpoint(folder).write_bytes(checkpoint(folder).read_bytes()[:9999]),
    lambda folder: checkpoint(folder).write_bytes(b'<?xml version="1.0"?><Error/>'),
    lambda folder: checkpoint(folder).write_bytes(b''),
    lambda folder: checkpoint(folder).unlink(),
    lambda folder: checkpoint(folder).write_bytes(
        bytes(255 - byte for byte in checkpoint(folder).read_bytes())),
    lambda folder: (folder / 'checkpoint').write_bytes(b''),
    lambda folder: (folder / 'checkpoint').write_bytes(b'\xff\xfe'),
    lambda folder: (folder / 'model.ckpt.index').write_bytes(b''),
    lambda folder: (folder / 'model.ckpt.index').write_bytes(b'<html>not found</html>'),
    lambda folder: (folder / 'model.ckpt.index').unlink()])
def test_a_damaged_checkpoint_is_refused(snapshot, tmp_path, spoil):
    formats.export(snapshots.read(snapshot), tmp_path / 'made', 'released')
    spoil(tmp_path / 'made')
    with pytest.raises(UserError, match=r'cannot be read|has neither') as error:
        snapshots.read(tmp_path / 'made')
    assert str(error.value).isprintable()


def test_a_checkpoint_of_other_sizes_is_refused(snapshot, tmp_path):
    formats.export(snapshots.read(snapshot), tmp_path / 'made', 'released')
    for change in ({'n_layer': 1}, {'n_layer': 1000}, {'n_ctx': 10 ** 6}, {'n_embd': 8}):
        files.write_json(tmp_path / 'made' / 'hparams.json', dict(SMALL.__dict__, **change))
        with pytest.raises(UserError, match='not of the same model'):
            snapshots.read(tmp_path / 'made')
