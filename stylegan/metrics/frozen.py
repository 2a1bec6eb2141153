"""A frozen TensorFlow graph, a .pb file with its weights inside, as a function of arrays."""

import difflib

import numpy as np
from google.protobuf.message import DecodeError

from dnnlib import files, progress, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf

BATCH = 16  # rows computed at a time


def _read(path):
    """The GraphDef of a file, without remembered shapes: they would pin the batch to one."""
    graph = tf.GraphDef()
    try:
        graph.ParseFromString(files.existing(path, 'a frozen graph (.pb)').read_bytes())
    except (DecodeError, OSError) as error:
        raise UserError(f'{path} is no frozen graph ({error}); give a .pb file')
    if not graph.node:
        raise UserError(f'{path} holds no graph; give a .pb file with one')
    for node in graph.node:
        node.attr.pop('_output_shapes', None)
    return graph


def _tensor_name(graph, name, path):
    """`name` as 'node:output'. Raises UserError if the graph has no such node."""
    node, _, output = name.partition(':')
    names = [node.name for node in graph.node]
    if node not in names:
        similar = difflib.get_close_matches(node, names, 5, 0.4) or names[-5:]
        raise UserError(f"{path} has no tensor {name}; similar are: {', '.join(sorted(similar))}")
    return f'{node}:{output or 0}'


def _kind(graph, tensor):
    """Data type and shape of a tensor, found from the part of the graph that leads to it."""
    with tf.Graph().as_default() as part:
        tf.import_graph_def(
            tf.graph_util.extract_sub_graph(graph, [tensor.split(':')[0]]), name='')
        found = part.get_tensor_by_name(tensor)
        return found.dtype, found.shape


class Frozen:
    """The function input -> output of a frozen graph, with a session; `close` ends it.

    input, output: names of tensors, 'node:0' or 'node'. What leads to the input is cut off, and its
    first axis is a batch of any size, whatever the file says. threads: CPU threads, 0 takes all.
    Raises UserError for a file that is no graph, or has no such tensors.
    """

    def __init__(self, path, input, output, threads=0):
        self.path, graph = path, _read(path)
        self._names = [_tensor_name(graph, name, path) for name in (input, output)]
        try:
            dtype, shape = _kind(graph, self._names[0])
            if shape.rank is not None:
                shape = [None] + shape.as_list()[1:]
            with tf.Graph().as_default():
                self._input = tf.placeholder(dtype, shape)
                self._output, = tf.import_graph_def(
                    graph, {self._names[0]: self._input}, [self._names[1]], name='')
                self._session = tflib.session(threads)
        except (ValueError, KeyError) as error:
            raise UserError('%s cannot be computed from %s to %s (%s)' % (
                path, input, output, str(error).split('\n')[0]))

    def __call__(self, arrays):
        """arrays [n, ...], n > 0 -> the output's rows [n, ...], computed in batches.

        Raises UserError if the graph does not take such arrays, or not several at a time.
        """
        arrays = np.asarray(arrays)
        if not self._input.shape.is_compatible_with(arrays.shape):
            raise UserError('%s takes arrays of shape %s at %s, not %s' % (
                self.path, self._input.shape, self._names[0], list(arrays.shape)))
        batches = [arrays[i:i + BATCH] for i in range(0, len(arrays), BATCH)]
        return np.concatenate([
            self._compute(batch) for batch in progress.bar(
                batches, what='features', unit='batch', leave=False, disable=len(batches) < 2)])

    def _compute(self, batch):
        try:
            rows = self._session.run(self._output, {self._input: batch})
            reason = f'{list(rows.shape)} for {len(batch)}'
        except tf.errors.InvalidArgumentError as error:
            rows, reason = np.zeros(0), error.message.split('\n')[0]
        if rows.shape[:1] != batch.shape[:1]:
            raise UserError('%s does not compute %s for several at a time (%s); name a tensor '
                            'before it' % (self.path, self._names[1], reason))
        return rows

    def close(self):
        """End the session; the function cannot be called after that."""
        self._session.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
