"""The work that a graph cannot do without: its convolutions and products of matrices.

Whatever lies between them (noise, bias, normalisation, nonlinearity) could be fused into them, so
the floor of a figure counts it as free. Convolutions are counted as direct ones.
"""

import numpy as np

_BYTES = 4  # of a float32


def _sizes(op, batch):
    """(shapes of the inputs, shape of the output) with unknown dimensions replaced by `batch`."""
    return [[batch if size is None else size for size in tensor.shape.as_list()]
            for tensor in list(op.inputs) + list(op.outputs)]


def _flops(op, batch):
    *inputs, output = _sizes(op, batch)
    if op.type == 'Conv2D':
        kernel, pixels = inputs[1], output
    elif op.type == 'Conv2DBackpropInput':
        kernel, pixels = inputs[1], inputs[2]
    elif op.type == 'Conv2DBackpropFilter':
        kernel, pixels = output, inputs[2]
    elif op.type == 'MatMul':
        inner = inputs[0][0] if op.get_attr('transpose_a') else inputs[0][1]
        return 2 * np.prod(output) * inner
    else:  # BatchMatMulV2
        inner = inputs[0][-2] if op.get_attr('adj_x') else inputs[0][-1]
        return 2 * np.prod(output) * inner
    return 2 * np.prod(pixels) * np.prod(kernel[:3])


_COUNTED = ('Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter', 'MatMul', 'BatchMatMulV2')


def work(fetches, batch=1):
    """What evaluating tensors or operations takes at least -> (floating-point operations, bytes).

    Bytes: each input of a counted operation is read and each output written once.
    batch: stands for every dimension that is not known before.
    """
    waiting, seen = [getattr(fetch, 'op', fetch) for fetch in fetches], set()
    flops = traffic = 0
    while waiting:
        op = waiting.pop()
        if op in seen:
            continue
        seen.add(op)
        waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
        if op.type in _COUNTED:
            flops += _flops(op, batch)
            traffic += _BYTES * sum(np.prod(shape) for shape in _sizes(op, batch) if len(shape) > 1)
    return float(flops), float(traffic)
