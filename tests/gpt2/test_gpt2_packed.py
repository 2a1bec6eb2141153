import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.tflib import tf
from gpt2 import packed
from gpt2.config import Network, shapes

SMALL = Network(n_vocab=270, n_ctx=8, n_embd=16, n_head=2, n_layer=1)


def noise(*shape):
    return np.random.RandomState([1]).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize('threads', [1, 3])
@pytest.mark.parametrize('inputs, outputs', [(16, 48), (768, 100), (1536, 64)])
def test_a_row_has_the_same_bits_whatever_is_beside_it(inputs, outputs, threads):
    x, weights = noise(33, inputs), noise(1, inputs, outputs)
    rows = tf.placeholder(tf.float32, [None, inputs])
    product = packed.product(rows, packed.pack('w', tf.constant(weights)), outputs)
    counts = sorted({packed.rows(n) for n in (1, 2, 3, 8, 13, 24, 33)
                     if packed.rows(n) <= packed.MOST})
    with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=threads,
                                          use_per_session_threads=True)) as sess:
        padded = np.concatenate([x, x])
        whole = sess.run(product, {rows: padded[:counts[-1]]})
        for n in counts:
            for first in (0, 1, 5):
                these = np.arange(first, first + n) % counts[-1]
                np.testing.assert_array_equal(sess.run(product, {rows: padded[these]}),
                                              whole[these])
    np.testing.assert_allclose(whole[:5], x[:5] @ weights[0], rtol=1e-4, atol=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(tflib.onednn_units() != 'avx512', reason='stands in for a CPU without AVX-512')
def test_all_of_it_holds_on_a_cpu_with_avx2_only():
    subprocess.run([sys.executable, '-m', 'pytest', '-q', '-m', 'not slow', __file__, str(
        pathlib.Path(__file__).with_name('test_gpt2_sampler.py'))], check=True,
        env=dict(os.environ, ONEDNN_MAX_CPU_ISA='AVX2'))


def test_the_units_are_those_that_onednn_may_use(monkeypatch):
    flags = {'avx2', 'avx512f', 'avx512bw', 'avx512vl', 'avx512dq'}
    monkeypatch.setattr(tflib, 'cpu_flags', lambda: flags)
    monkeypatch.delenv('ONEDNN_MAX_CPU_ISA', raising=False)
    with_onednn = not tf.__version__.startswith('1.')
    assert tflib.onednn_units() == ('avx512' if with_onednn else '')
    monkeypatch.setenv('ONEDNN_MAX_CPU_ISA', 'avx2')
    assert tflib.onednn_units() == ('avx2' if with_onednn else '')
    monkeypatch.setenv('TF_ENABLE_ONEDNN_OPTS', '0')
    assert tflib.onednn_units() == ''


def test_a_root_has_the_same_bits_at_every_index():
    x = np.repeat(np.abs(noise(1)) + 0.1, 40)
    with tf.Session() as sess:
        for n in (1, 7, 16, 40):
            roots = sess.run(packed.rsqrt(tf.constant(x[:n].reshape(n, 1, 1))))
            assert roots.shape == (n, 1, 1) and len(set(roots.ravel())) == 1
            np.testing.assert_allclose(roots[0, 0, 0], x[0] ** -0.5, rtol=1e-6)


def test_variables_hold_what_packing_gives():
    values = {name: noise(*shape) for name, shape in shapes(SMALL).items()}
    with tf.Graph().as_default(), tf.Session() as sess:
        variables = packed.Variables(SMALL)
        ready = {name: packed.pack(name, tf.constant(values[name])) for name in variables.by_name}
        variables.assign(sess, values)
        held, wanted = sess.run([variables.by_name, ready])
        assert sorted(held) == sorted(packed.names(SMALL)) and len(held) == 5
        for name in held:
            np.testing.assert_array_equal(held[name], wanted[name])
        x = noise(packed.ROWS, 16)
        logits = sess.run(packed.product(tf.constant(x), variables.by_name['model/wte'], 270))
    np.testing.assert_allclose(logits, x @ values['model/wte'].T, atol=1e-4)
