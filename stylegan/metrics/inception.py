"""Features of images by a frozen TensorFlow graph, by default the Inception network of 2015.

Published Fréchet distances are measured with that graph (classify_image_graph_def.pb). Any other
frozen graph of images will do, but only figures of the same graph compare. A graph is a program, so
only operations that compute tensors from tensors are allowed.
"""

import difflib

import numpy as np
from google.protobuf.message import DecodeError

from dnnlib import files, progress, tflib
from dnnlib.files import UserError
from dnnlib.tflib import tf

BATCH = 16  # images at a time
_LARGEST = 2 ** 30  # bytes of a graph; Inception has 96 MB
# The operations of classifiers. None of those that access files or sockets or call Python is here.
_OPERATIONS = frozenset((
    'Add', 'AddV2', 'AddN', 'AvgPool', 'BatchNormWithGlobalNormalization', 'BiasAdd', 'Cast',
    'CheckNumerics', 'Concat', 'ConcatV2', 'Const', 'Conv2D', 'DepthwiseConv2dNative', 'Div',
    'Elu', 'Exp', 'ExpandDims', 'FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3',
    'Identity', 'LRN', 'LeakyRelu', 'Log', 'MatMul', 'Max', 'MaxPool', 'Maximum', 'Mean', 'Min',
    'Minimum', 'Mul', 'Neg', 'NoOp', 'Pack', 'Pad', 'PadV2', 'Placeholder',
    'PlaceholderWithDefault', 'Pow', 'Prod', 'RealDiv', 'Relu', 'Relu6', 'Reshape',
    'ResizeBilinear', 'ResizeBicubic', 'ResizeNearestNeighbor', 'Rsqrt', 'Selu', 'Shape',
    'Sigmoid', 'Slice', 'Softmax', 'Softplus', 'Split', 'Sqrt', 'Square', 'SquaredDifference',
    'Squeeze', 'StopGradient', 'StridedSlice', 'Sub', 'Sum', 'Tanh', 'Transpose', 'Unpack'))


def _read(path):
    """The GraphDef of a file, without recorded shapes, which would fix the batch size to one."""
    path = files.existing(path, 'a frozen graph (.pb)')
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise UserError(f'{path} is not a frozen graph; give a .pb file of at most 1 GB')
    graph = tf.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise UserError(f'{path} is not a frozen graph ({error}); give a .pb file')
    if not graph.node:
        raise UserError(f'{path} holds no graph; give a .pb file with one')
    for node in graph.node:
        node.attr.pop('_output_shapes', None)
    return graph


def _tensor_name(nodes, name, path):
    """`name` as 'node:output'. Raises UserError if the graph has no such node."""
    node, _, output = name.partition(':')
    if node not in nodes:
        similar = difflib.get_close_matches(node, nodes, 5, 0.4) or list(nodes)[-5:]
        raise UserError(f"{path} has no tensor {name}; similar are: "
                        + ascii(', '.join(sorted(similar)))[1:-1])
    return f'{node}:{output or 0}'


def _check_operations(nodes, input, output, path):
    """Raise UserError if an operation between the two tensors is not in _OPERATIONS."""
    waiting, reached = [output.split(':')[0], input.split(':')[0]], set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in nodes:  # TensorFlow reports missing inputs
            continue
        reached.add(name)
        if nodes[name].op not in _OPERATIONS and name != input.split(':')[0]:
            raise UserError(f'{path} uses the operation {nodes[name].op!a}, which no '
                            'classifier needs; it was not run')
        if name != input.split(':')[0]:
            waiting += [each.lstrip('^').split(':')[0] for each in nodes[name].input]


class Inception:
    """A feature extractor, with a session; `close` ends it.

    path:   the .pb file; it is not part of the project.
    input:  tensor of images [n, h, w, 3] in 0..255. At 'ExpandDims:0' the graph of 2015 resizes
            them to 299 pixels itself; at 'ResizeBilinear:0' they must have that size. Its first
            axis becomes a batch of any size.
    output: tensor [n, ...] to compute. 'pool_3:0' is the last one of the graph of 2015 that
            supports batches.
    threads: CPU threads, 0 takes all.
    Raises UserError for a file that is not a graph, lacks these tensors, or has other operations.
    """

    def __init__(self, path, input='ExpandDims:0', output='pool_3:0', threads=0):
        self.path, graph = path, _read(path)
        nodes = {node.name: node for node in graph.node}
        self._names = [_tensor_name(nodes, name, path) for name in (input, output)]
        _check_operations(nodes, *self._names, path=path)
        try:
            dtype, shape = self._input_type(graph)
            if shape.rank is not None:
                shape = [None] + shape.as_list()[1:]
            with tf.Graph().as_default():
                self._input = tf.placeholder(dtype, shape)
                self._output, = tf.import_graph_def(
                    graph, {self._names[0]: self._input}, [self._names[1]], name='')
                self._session = tflib.session(threads)
        except (ValueError, KeyError) as error:
            reason = str(error).split('\n')[0]
            raise UserError(f'{path} cannot be computed from {input} to {output} ({reason})')

    def _input_type(self, graph):
        """Data type and shape of the input, inferred from the graph before it."""
        with tf.Graph().as_default() as part:
            tf.import_graph_def(tf.graph_util.extract_sub_graph(
                graph, [self._names[0].split(':')[0]]), name='')
            tensor = part.get_tensor_by_name(self._names[0])
            return tensor.dtype, tensor.shape

    def features(self, pictures):
        """Images [n, h, w, 3] in 0..255, uint8 or float32 -> float32 [n, d]; 2015: d = 2048.

        Raises UserError if the graph does not take such images, or no batches.
        """
        pictures = np.asarray(pictures)
        if not self._input.shape.is_compatible_with(pictures.shape):
            raise UserError(f'{self.path} takes arrays of shape {self._input.shape} at '
                            f'{self._names[0]}, not {list(pictures.shape)}')
        batches = [pictures[i:i + BATCH] for i in range(0, len(pictures), BATCH)]
        rows = [self._compute(batch) for batch in progress.bar(
            batches, what='features', unit='batch', leave=False, disable=len(batches) < 2)]
        return np.concatenate(rows).reshape(len(pictures), -1)

    def _compute(self, batch):
        try:
            rows = self._session.run(self._output, {self._input: batch})
            reason = f'{list(rows.shape)} for {len(batch)}'
        except tf.errors.InvalidArgumentError as error:
            rows, reason = np.zeros(0), error.message.split('\n')[0]
        if rows.shape[:1] != batch.shape[:1]:
            raise UserError(f'{self.path} does not compute {self._names[1]} for several at a time '
                            f'({reason}); name a tensor before it')
        return rows

    def close(self):
        """End the session."""
        self._session.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
