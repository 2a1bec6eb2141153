"""int8 weights for sampling: each token reads a quarter of the bytes.

Weights are quantised per column, symmetrically; activations per row, from minimum to maximum, anew
for each product (LLM.int8(), Dettmers et al. 2022, sections 2.1 and 3.1, without the decomposition
of outliers). Sums of integers are exact in any order, so a row has the same bits whatever is beside
it, with any number of rows.
"""

import collections

from dnnlib.tflib import tf
from gpt2 import packed

# integers: int8 [inputs, outputs], or qint8. scale: float32 [outputs], the weight that an integer 1
# of a column stands for. total: float32 [outputs], the sum of the weights of a column.
Matrix = collections.namedtuple('Matrix', 'integers scale total')


def quantise(matrix):
    """The Matrix nearest to float32 [inputs, outputs]."""
    scale = tf.maximum(tf.reduce_max(tf.abs(matrix), axis=0), 1e-30) / 127
    integers = tf.cast(tf.round(matrix / scale), tf.int8)
    total = tf.reduce_sum(tf.cast(integers, tf.int32), axis=0)
    return Matrix(integers, scale, scale * tf.cast(total, tf.float32))


class Variables(packed.Variables):
    """Variables that hold weights as integers only, in the default graph.

    by_name: name of a weight -> Matrix. Assign them once, before the first product: see `_sums`.
    """

    def _variable(self, name, weights):
        values = quantise(packed.matrix(name, weights))
        variables = Matrix(*[
            tf.get_variable(f'int8/{name}/{field}', value.shape.as_list(), value.dtype,
                            trainable=False)
            for field, value in zip(Matrix._fields, values)])
        assign = tf.group(*[variable.assign(value) for variable, value in zip(variables, values)])
        return variables._replace(integers=tf.bitcast(variables.integers, tf.qint8)), assign


def _sums(x, integers):
    """The product of uint8 [n, inputs] and qint8 [inputs, outputs]: int32 [n, outputs].

    `_QuantizedMatMul` is what TensorFlow makes of int8 products with constants. Its kernel keeps
    the weights that it is given first, in oneDNN's layout, and never looks at them again.
    """
    # A bias of 0, and four ends of ranges that matter only to outputs in other types.
    floats = [tf.zeros(integers.shape[1:])] + 4 * [tf.constant(127.0)]
    inputs, outputs = [tf.bitcast(x, tf.quint8), integers] + floats, [tf.qint32] + 2 * [tf.float32]

    def types(dtypes):
        return tf.AttrValue(list=tf.AttrValue.ListValue(
            type=[dtype.as_datatype_enum for dtype in dtypes]))
    attributes = {name: tf.AttrValue(type=dtype.as_datatype_enum) for name, dtype in (
        ('T1', tf.quint8), ('T2', tf.qint8), ('Tout', tf.qint32))}
    attributes.update(
        Tdevice_inputs=types([each.dtype for each in inputs]), Tdevice_outputs=types(outputs),
        Thost_inputs=types([]), Thost_outputs=types([]), is_weight_const=tf.AttrValue(b=True),
        fused_ops=tf.AttrValue(list=tf.AttrValue.ListValue(s=[b'BiasAdd'])))
    sums = tf.get_default_graph().create_op(
        '_QuantizedMatMul', inputs, outputs, attrs=attributes, name='product').outputs[0]
    sums.set_shape([x.shape[0], integers.shape[1]])
    return tf.bitcast(sums, tf.int32)


def product(x, matrix):
    """The product of x float32 [n, inputs] with a Matrix of `Variables`: float32 [n, outputs]."""
    low = tf.reduce_min(x, axis=1, keepdims=True)
    step = (tf.reduce_max(x, axis=1, keepdims=True) - low) / 255 + 1e-30
    sums = _sums(tf.cast((x - low) / step + 0.5, tf.uint8), matrix.integers)
    return tf.cast(sums, tf.float32) * matrix.scale * step + low * matrix.total
