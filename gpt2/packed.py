"""The weights as sampling reads them: fast for few rows, and each row computed alike.

Each token takes one pass over all weights for a handful of rows, so memory is the limit. oneDNN
with AVX-512 reads a matrix up to twice as fast when it is packed: cut into panels of 32 columns,
each contiguous. The token embedding is transposed for the output layer here, once, not per token.

The order in which a library sums up a row depends on the number of rows, and in oneDNN with AVX2 on
the place of the row as well. When the number is a multiple of `ROWS`, the order is always the same,
with any number of threads. This is measured, not documented by the libraries; a test holds it bit
for bit.
"""

from dnnlib import tflib
from dnnlib.tflib import shape_list, tf
from gpt2.config import DENSE, shapes

# ROWS: see above. MOST: the largest batch that is faster than two of half the size, or whose rows
# are computed alike. _PANEL: columns of a panel; None: a matrix is one panel.
ROWS, MOST, _PANEL = {'avx512': (2, 64, 32), 'avx2': (6, 48, None), '': (8, 8, None)}[
    tflib.onednn_units()]


def rows(n):
    """How many rows to compute for n texts; those beyond n are padding."""
    return -(-n // ROWS) * ROWS


def names(network):
    """The names of the weights that are packed: those of all products with a matrix."""
    return ['model/wte'] + [f'model/h{i}/{name}/w' for i in range(network.n_layer)
                            for name, _, _ in DENSE]


def matrix(name, weights):
    """The weights of this name, as released, as the product takes them: [inputs, outputs]."""
    return tf.transpose(weights) if name == 'model/wte' else weights[0]


def pack(name, weights):
    """The weights of this name, as released, in panels: float32 [panels, inputs, columns].

    The last panel is filled up with zeros.
    """
    whole = matrix(name, weights)
    inputs, outputs = shape_list(whole)
    if _PANEL is None:
        return whole[tf.newaxis]
    whole = tf.pad(whole, [[0, 0], [0, -outputs % _PANEL]])
    return tf.transpose(tf.reshape(whole, [inputs, -1, _PANEL]), [1, 0, 2])


class Variables:
    """Variables that hold weights in packed form only, in the default graph.

    by_name: name of a weight -> variable.
    """

    def __init__(self, network):
        self.by_name, self._assign = {}, {}
        for name in names(network):
            weights = tf.placeholder(tf.float32, shapes(network)[name])
            self.by_name[name], assign = self._variable(name, weights)
            self._assign[name] = weights, assign

    def _variable(self, name, weights):
        """What holds the weights of this name, and the operation that sets it to a tensor."""
        form = pack(name, weights)
        variable = tf.get_variable('packed/' + name, form.shape.as_list(), trainable=False)
        return variable, variable.assign(form).op

    def assign(self, session, values):
        """Set them; `values`: name -> float32 array, as released, and others."""
        for name, (weights, assign) in self._assign.items():
            session.run(assign, {weights: values[name]})


def product(x, packed, outputs):
    """The product of x float32 [n, inputs] with a packed matrix: [n, outputs]."""
    panels, inputs, columns = shape_list(packed)
    if panels == 1:
        y = tf.matmul(x, packed[0])
    else:
        y = tf.matmul(tf.reshape(x, [1, -1, inputs]), packed)  # [panels, n, columns]
        # Transposed as integers: TensorFlow hands a transpose of floats to oneDNN, whose
        # preparations take longer than these few rows.
        y = tf.bitcast(tf.transpose(tf.bitcast(y, tf.int32), [1, 0, 2]), tf.float32)
        y = tf.reshape(y, [-1, panels * columns])
    return y if outputs == panels * columns else y[:, :outputs]


def rsqrt(x):
    """1 / sqrt(x) of x [n, t, 1], with the same bits for a number at whatever index.

    TensorFlow computes up to 16 numbers at once, and what is left over by another formula. So each
    number is computed 16 times.
    """
    return tf.rsqrt(tf.tile(x, [1, 1, 16]))[..., :1]
