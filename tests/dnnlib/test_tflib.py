"""The border to TensorFlow: graph mode, restoring by name, setting by name."""

import builtins
import io

import numpy as np
import pytest

from dnnlib import tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf


@pytest.fixture
def graph():
    with tf.Graph().as_default():
        yield


def _variable(name, value):
    return tf.get_variable(name, initializer=np.float32(value))


def test_graph_mode_on_either_version(graph):
    assert not tf.executing_eagerly()
    assert not hasattr(tf, 'contrib')
    assert tf.ones([3]).shape.as_list() == [3]  # sizes are plain ints


@pytest.fixture
def bfloat16_units(monkeypatch):
    """Any CPU computes in bfloat16, if slowly."""
    monkeypatch.setattr(tflib, 'cpu_has_bfloat16', lambda: True)


@pytest.mark.skipif(tf.__version__.startswith('1.'), reason='has no bfloat16 at all')
def test_bfloat16_is_refused_on_a_cpu_without_units_for_it(monkeypatch):
    monkeypatch.setattr(tflib, 'cpu_has_bfloat16', lambda: False)
    with pytest.raises(UserError, match=r'14 times as long .*; leave --bfloat16 out'):
        tflib.check_bfloat16(True)
    tflib.check_bfloat16(False)


@pytest.mark.parametrize('lines, there', [
    ('flags\t: fpu avx2 avx512_bf16', True), ('flags\t: amx_bf16', True), ('Features: bf16', True),
    ('flags\t: fpu avx2 avx512f\nbugs: bf16', False), ('processor: 0', True)])
def test_the_units_of_a_cpu_are_among_its_flags(monkeypatch, lines, there):
    monkeypatch.setattr(builtins, 'open', lambda *_, **__: io.StringIO(lines))
    assert tflib.cpu_has_bfloat16() == there


@pytest.mark.parametrize('flags, limit, there', [
    ('avx2 avx512f avx512bw avx512vl avx512dq avx512_vnni', '', True), ('avx2 avx_vnni', '', True),
    ('avx2 avx512f avx512bw avx512vl avx512dq', '', False), ('avx2', '', False),
    ('', '', False), ('avx2 avx_vnni', 'AVX2', False)])
def test_int8_is_refused_without_vnni_and_on_tensorflow_1(monkeypatch, flags, limit, there):
    monkeypatch.setattr(tflib, 'cpu_flags', lambda: set(flags.split()))
    monkeypatch.setenv('ONEDNN_MAX_CPU_ISA', limit or 'DEFAULT')
    old = tf.__version__.startswith('1.')
    assert tflib.cpu_has_int8() == (there and not old)
    if old or not there:
        with pytest.raises(UserError, match='cannot sample with int8 .*--int8' if old else
                           'no int8 instructions .*leave --int8 out'):
            tflib.check_int8(True)
    else:
        tflib.check_int8(True)
    tflib.check_int8(False)


def test_bfloat16_is_refused_on_tensorflow_1_and_close_on_2(graph, bfloat16_units):
    values = np.random.RandomState(0).randn(2, 8, 8, 16).astype(np.float32)
    kernel = np.random.RandomState(1).randn(3, 3, 16, 16).astype(np.float32)
    product = tf.nn.conv2d(tf.placeholder_with_default(values, values.shape), kernel,
                           [1, 1, 1, 1], 'SAME')
    if tf.__version__.startswith('1.'):
        with pytest.raises(UserError, match='--bfloat16'):
            tflib.session(1, bfloat16=True)
        return
    with tflib.session(1) as exact, tflib.session(1, bfloat16=True) as coarse:
        expected, found = exact.run(product), coarse.run(product)
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize('sizes', [[2, 3, 4], [None, 3, 4], [None, None, 4]])
def test_a_reshape_knows_what_is_known(graph, sizes):
    x = tf.placeholder(tf.float32, sizes)
    n, t, width = tflib.shape_list(x)
    y = tflib.reshape(x, [n, width, t])
    assert y.shape.as_list() == [sizes[0], 4, sizes[1]]
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    with tflib.session(1) as sess:
        np.testing.assert_array_equal(sess.run(y, {x: values}), values.reshape(2, 4, 3))


def test_session_has_the_threads_asked_for(graph):
    with tflib.session(1) as sess:
        assert sess.run(tf.constant(2) + 3) == 5
        assert sess._config.intra_op_parallelism_threads == 1
        assert sess._config.inter_op_parallelism_threads == 1


def test_shape_list_mixes_ints_and_tensors(graph):
    x = tf.placeholder(tf.float32, [None, 3])
    assert tflib.shape_list(tf.zeros([2, 3])) == [2, 3]
    count, width = tflib.shape_list(x)
    assert width == 3
    with tflib.session(1) as sess:
        assert sess.run(count, {x: np.zeros([7, 3])}) == 7


def test_parameters_counts_numbers(graph):
    variables = [_variable('a', np.zeros([2, 3])), _variable('b', 1.0)]
    assert tflib.parameters(variables) == 7


def test_restoring_takes_what_matches_and_names_the_rest(tmp_path):
    with tf.Graph().as_default(), tflib.session(1) as sess:
        _variable('a', [1, 2]), _variable('b', 3)
        sess.run(tf.global_variables_initializer())
        checkpoint = tf.train.Saver().save(sess, str(tmp_path / 'state'))
    with tf.Graph().as_default(), tflib.session(1) as sess:
        a, b, c = _variable('a', [0, 0]), _variable('b', 0), _variable('c', 5)
        sess.run(tf.global_variables_initializer())
        assert tflib.restore_matching(sess, checkpoint, [a, c]) == [c]
        assert [x.tolist() for x in sess.run([a, b, c])] == [[1, 2], 0, 5]
        assert tflib.restore_matching(sess, checkpoint, [a, b, c]) == [c]
        assert sess.run(b) == 3
    with tf.Graph().as_default(), tflib.session(1) as sess:
        with pytest.raises(AssertionError, match='a: checkpoint'):
            tflib.restore_matching(sess, checkpoint, [_variable('a', [0, 0, 0])])


def test_assign_sets_by_name_even_in_a_final_graph(graph):
    a, b = _variable('a', [0, 0]), _variable('b', 0)
    with tflib.session(1) as sess:
        sess.run(tf.global_variables_initializer())
        tf.get_default_graph().finalize()
        tflib.assign(sess, {'a': np.array([4, 5], np.float32)})
        assert [x.tolist() for x in sess.run([a, b])] == [[4, 5], 0]
        with pytest.raises(KeyError):
            tflib.assign(sess, {'nobody': 1})
        with pytest.raises(AssertionError, match=r'a: graph \[2\], value \[3\]'):
            tflib.assign(sess, {'a': np.zeros(3, np.float32)})
