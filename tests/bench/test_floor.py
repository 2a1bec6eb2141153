"""The floor counts convolutions and products of matrices, and nothing else."""

import pytest

from bench import floor
from dnnlib.tflib import tf


@pytest.fixture(autouse=True)
def _graph():
    with tf.Graph().as_default():
        yield


def test_a_convolution_and_its_gradients():
    x, kernel = tf.zeros([2, 8, 8, 3]), tf.zeros([3, 3, 3, 5])
    y = tf.nn.relu(tf.nn.conv2d(x, kernel, [1, 2, 2, 1], 'SAME'))
    flops = 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)
    sizes = [2 * 8 * 8 * 3, 3 * 3 * 3 * 5, 2 * 4 * 4 * 5]
    assert floor.work([y]) == (flops, 4 * sum(sizes))
    assert floor.work(tf.gradients(y, [x, kernel]))[0] == 3 * flops


@pytest.mark.parametrize('turned', [False, True])
def test_products_of_matrices_whose_batch_is_not_known(turned):
    rows = tf.placeholder(tf.float32, [None, 4])
    matrix = tf.zeros([6, 4] if turned else [4, 6])
    assert floor.work([tf.matmul(rows, matrix, transpose_b=turned).op], batch=3) == (
        2 * 3 * 4 * 6, 4 * (3 * 4 + 4 * 6 + 3 * 6))
    stack = tf.zeros([2, 3, 4])
    assert floor.work([tf.matmul(stack, stack, transpose_b=True)])[0] == 2 * 2 * 3 * 4 * 3
