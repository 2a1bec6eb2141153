"""A frozen image classifier with the tensor names of the Inception graph of 2015, but tiny."""

import numpy as np

from dnnlib import tflib
from dnnlib.tflib import tf

SIDE, DEPTH = 6, 5  # pixels that images are resized to, features of an image


def write(path):
    """Write the graph, made for one JPEG like the original, as a .pb -> its weights [3, DEPTH]."""
    values = np.random.RandomState(8).randn(3, DEPTH).astype(np.float32)
    with tf.Graph().as_default() as graph, tflib.session(1) as sess:
        jpeg = tf.placeholder(tf.string, [], 'DecodeJpeg/contents')
        picture = tf.cast(tf.image.decode_jpeg(jpeg, channels=3, name='DecodeJpeg'), tf.float32,
                          name='Cast')
        x = tf.expand_dims(picture, 0, name='ExpandDims')
        x = tf.raw_ops.ResizeBilinear(images=x, size=[SIDE, SIDE], name='ResizeBilinear')
        x = tf.multiply(tf.subtract(x, 128.0, name='Sub'), 1 / 128, name='Mul')
        weight = tf.get_variable('weight', initializer=values[np.newaxis, np.newaxis])
        x = tf.nn.relu(tf.nn.conv2d(x, weight, [1, 1, 1, 1], 'SAME'))
        x = tf.nn.avg_pool2d(x, [SIDE, SIDE], 1, 'VALID', name='pool_3')
        tf.reshape(x, [1, DEPTH], name='pool_3/_reshape')
        sess.run(tf.global_variables_initializer())
        frozen = tf.graph_util.convert_variables_to_constants(
            sess, graph.as_graph_def(add_shapes=True), ['pool_3/_reshape'])
    path.write_bytes(frozen.SerializeToString())
    return values


def features(pictures, values):
    """What the graph makes of images [n, SIDE, SIDE, 3], in numpy: [n, DEPTH]."""
    return np.maximum((np.float32(pictures) - 128) / 128 @ values, 0).mean((1, 2))
