"""One step of an optimiser on a minibatch, which may come in parts that fit into less memory."""

import numpy as np

from dnnlib import parallel
from dnnlib.tflib import tf

_MARK = 'losses or gradients are not finite'  # by which its own error is known


class NotFinite(Exception):
    """A loss or gradient is NaN or infinite; the step has changed no variable."""


def sums(variables, parts):
    """A zero for each of the variables, outside the checkpoints; none for a minibatch of one part
    on one worker.

    Updates of the same variables may share them, as they are zero again after every step.
    """
    return [tf.get_variable(variable.op.name + '/sum', variable.shape.as_list(), trainable=False,
                            initializer=tf.zeros_initializer(),
                            collections=[tf.GraphKeys.LOCAL_VARIABLES])
            for variable in variables if parts > 1 or parallel.size > 1]


class Update:
    """Move variables along a gradient, once per minibatch.

    optimiser: of tf.train. gradients: a tensor or None for each of the variables, for one part.
    losses: name -> scalar tensor for one part, to report. parts: how many make this worker's share
    of a minibatch; the step goes along the mean of the gradients of all parts of all workers.
    held: where those of this worker add up, see `sums`.
    clip: largest global norm of that mean; 0: no limit.
    Attribute: step, the operation that `run` runs for each part.
    """

    def __init__(self, optimiser, variables, gradients, losses, parts=1, held=(), clip=0.0):
        self._losses, self._parts = losses, parts

        def applied(values, known=()):
            # An optimiser changes a variable in its place; the gradient of what was multiplied by
            # it may still need the old value. So none moves before all gradients are there.
            norm = tf.global_norm([value for value in values if value is not None])
            finite = tf.reduce_all(tf.math.is_finite(tf.stack([norm] + list(known))))
            values = tf.tuple(values, control_inputs=[tf.debugging.Assert(finite, [_MARK])])
            if clip > 0:
                values, _ = tf.clip_by_global_norm(values, clip)
            return optimiser.apply_gradients(list(zip(values, variables)))
        if parts == 1 and parallel.size == 1:
            self.step, self._clear = applied(gradients, losses.values()), tf.no_op()
            return
        assert len(held) == len(variables), (len(held), len(variables))
        self.step = tf.group(*[tf.assign_add(total, gradient / parts) for total, gradient
                                in zip(held, gradients) if gradient is not None])
        self._clear = tf.group(*[tf.assign(total, tf.zeros_like(total)) for total in held])
        if parallel.size > 1:
            self._means = tf.placeholder(tf.float32, [len(losses)])
            *averaged, self._averaged_means = parallel.average([*held, self._means])
            self._average = tf.group(*[tf.assign(total, mean)
                                       for total, mean in zip(held, averaged)])
        # Without a gradient no moments of Adam: checkpoints are the same for any number of parts.
        moving = [None if gradient is None else total for total, gradient in zip(held, gradients)]
        with tf.control_dependencies([applied(moving)]):
            self._apply = tf.group(*[tf.assign(total, tf.zeros_like(total)) for total in held])

    def _averaged(self, session, means):
        """Average over the workers the gradients that are held, and these losses -> them."""
        # In a run of its own, without a check that may fail: an error would end the collectives.
        found, _ = parallel.run(session, [self._averaged_means, self._average],
                                {self._means: list(means.values())})
        return {name: float(mean) for name, mean in zip(means, found)}

    def run(self, session, feeds):
        """Step. feeds: a feed dict for each part. Returns the means of the losses by name.

        Raises NotFinite, and then no variable has moved.
        """
        assert len(feeds) == self._parts, (len(feeds), self._parts)
        try:
            runs = [session.run([self._losses, self.step], feed)[0] for feed in feeds]
            means = {name: float(np.mean([losses[name] for losses in runs]))
                     for name in self._losses}
            if parallel.size > 1:
                means = self._averaged(session, means)
            if not np.isfinite(list(means.values())).all():  # one part alone has been checked
                raise NotFinite(_MARK)
            if self._parts > 1 or parallel.size > 1:
                session.run(self._apply, feeds[0])
        except (NotFinite, tf.errors.InvalidArgumentError) as error:
            if _MARK not in str(error):
                raise
            session.run(self._clear)
            raise NotFinite(_MARK)
        return means
