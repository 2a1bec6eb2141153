"""One step of an optimiser on a minibatch, which may come in parts that fit into less memory."""

import numpy as np

from dnnlib.tflib import tf


def sums(variables, parts):
    """A zero for each of the variables, outside the checkpoints; none for a minibatch of one part.

    Updates of the same variables may share them, as they are zero again after every step.
    """
    return [tf.get_variable(variable.op.name + '/sum', variable.shape.as_list(), trainable=False,
                            initializer=tf.zeros_initializer(),
                            collections=[tf.GraphKeys.LOCAL_VARIABLES])
            for variable in variables if parts > 1]


class Update:
    """Minimise a loss, once per minibatch.

    optimiser, variables: what moves and how. losses: name -> scalar tensor for one part, to report.
    minimised: the scalar tensor that is differentiated. parts: how many make a minibatch; the
    step goes along the mean of their gradients. sums: where those add up, see `sums`.
    """

    def __init__(self, optimiser, variables, losses, minimised, parts, sums):
        self._losses, self._parts = losses, parts
        gradients = optimiser.compute_gradients(minimised, variables)
        if parts == 1:
            self._step = optimiser.apply_gradients(gradients)
            return
        self._step = tf.group(*[tf.assign_add(total, gradient / parts) for total, (gradient, _)
                                in zip(sums, gradients) if gradient is not None])
        applied = optimiser.apply_gradients(list(zip(sums, variables)))
        with tf.control_dependencies([applied]):
            self._apply = tf.group(*[tf.assign(total, tf.zeros_like(total)) for total in sums])

    def run(self, session, feeds):
        """Step. feeds: a feed dict for each part. Returns the means of the losses by name."""
        assert len(feeds) == self._parts, (len(feeds), self._parts)
        runs = [session.run([self._losses, self._step], feed)[0] for feed in feeds]
        if self._parts > 1:
            session.run(self._apply, feeds[0])
        return {name: float(np.mean([losses[name] for losses in runs])) for name in self._losses}
