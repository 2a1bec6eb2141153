"""The machine: what it is, and how fast it multiplies matrices and moves memory."""

import os
import platform
import re

from bench.row import Row, Work

_VECTOR_UNITS = ('avx', 'avx2', 'avx512f', 'avx512_bf16', 'amx_bf16', 'asimd', 'sve', 'bf16')
_MEGABYTES = 256  # of each array of the memory row: far more than any cache holds


def processor():
    """(name of the processor, its vector units); '' for what the system does not tell."""
    try:
        with open('/proc/cpuinfo', encoding='ascii', errors='replace') as lines:
            text = lines.read()
    except OSError:  # not Linux
        return platform.processor(), ''
    name = re.search(r'^model name\s*: (.*)$', text, re.M)
    flags = re.search(r'^(?:flags|Features)\s*: (.*)$', text, re.M)
    known = flags.group(1).split() if flags else []
    return (name.group(1) if name else platform.machine(),
            ' '.join(unit for unit in _VECTOR_UNITS if unit in known))


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def matrix(threads, size=2048):
    """Product of two float32 matrices in TensorFlow: the rate of arithmetic, in GFLOP/s."""
    from dnnlib import tflib
    from dnnlib.tflib import tf
    with tf.Graph().as_default():
        factor = tf.get_variable('factor', [size, size])
        product = tf.matmul(factor, factor).op
        session = tflib.session(threads)
        session.run(factor.initializer)
    return Work(lambda: session.run(product), 2 * size ** 3 / 1e9)


def memory(threads):
    """Adding one large array to another: the rate of memory, read and written, in GB/s."""
    from dnnlib import tflib
    from dnnlib.tflib import tf
    with tf.Graph().as_default():
        one, other = [tf.get_variable(name, [_MEGABYTES << 18], initializer=tf.zeros_initializer())
                      for name in ('one', 'other')]
        add = tf.assign_add(one, other).op
        session = tflib.session(threads)
        session.run([one.initializer, other.initializer])
    return Work(lambda: session.run(add), 3 * _MEGABYTES * 2 ** 20 / 1e9)


ROWS = {'matrix': Row(matrix, 'GFLOP/s'), 'memory': Row(memory, 'GB/s')}
