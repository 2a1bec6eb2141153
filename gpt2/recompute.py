"""Gradients in less memory: layers are computed a second time when the way back comes to them.

Gradient checkpointing (Chen et al. 2016) with one checkpoint per layer: of the way forward only
what goes from layer to layer is kept, the width of the model for each token. What is inside of a
layer is there for one layer at a time. It costs one more way forward, a third of the time.
"""

from dnnlib.tflib import tf


def gradients(first, layers, last, variables):
    """The gradients of a scalar that is made layer by layer.

    first: tensor that goes into the first layer, made from the variables or not.
    layers: functions tensor -> tensor; each call builds the layer anew, over the same variables,
        and has to give the same numbers for the same tensor.
    last: function tensor -> the scalar, of what the last layer gives.
    Returns the scalar, and a tensor or None for each of the variables.
    """
    kept = [first]
    for layer in layers:
        kept.append(layer(kept[-1]))
    end = tf.stop_gradient(kept[-1])
    scalar = last(end)
    slope, *found = tf.gradients(scalar, [end] + variables)
    totals = [found]
    for layer, x in zip(reversed(layers), reversed(kept[:-1])):
        # Waiting for the slope does two things: it puts the work off until it is needed, and makes
        # it differ from that of the way forward, with which TensorFlow would otherwise unite it.
        with tf.control_dependencies([slope]):
            x = tf.identity(tf.stop_gradient(x))
        slope, *found = tf.gradients(layer(x), [x] + variables, slope)
        totals.append(found)
    totals.append(tf.gradients(first, variables, slope))
    return scalar, [_sum(some) for some in zip(*totals)]


def _sum(gradients):
    """The sum of those that are there; a dense tensor, or None."""
    there = [tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None]
    return tf.add_n(there) if there else None
