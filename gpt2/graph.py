"""The static graph of a fine-tuning: everything that the future depends on is a variable in it."""

import numpy as np

from dnnlib.tflib import tf
from dnnlib.accumulation import Update, sums
from gpt2.dropout import Dropout
from gpt2.model import Compute, loss, loss_and_gradients
from gpt2.sampler import Sampler


class Graph:
    """An update, the loss and the writing loop over the same variables.

    Attributes: tokens, counted, rate, seed (placeholders; the seed is that of dropout); loss
    (without dropout, in full precision); weights (the model's variables); step, best, waited
    (variables); update (dnnlib.update.Update); count (what moves `step` on); sampler.
    """

    def __init__(self, network, config, vocabulary):
        self.tokens = tf.placeholder(tf.int32, [None, None])
        self.counted = tf.placeholder_with_default(  # weights of `dataset.windows`
            tf.ones_like(self.tokens[:, 1:], tf.float32), [None, None])
        self.rate = tf.placeholder(tf.float32, [])
        self.seed = tf.placeholder_with_default(tf.zeros([2], tf.int32), [2])
        self.loss = loss(self.tokens, network, self.counted)
        self.weights = tf.trainable_variables()
        self.step = tf.get_variable('step', [], tf.int64, tf.zeros_initializer(), trainable=False)
        self.best = tf.get_variable('best', [], tf.float32, tf.constant_initializer(np.inf),
                                    trainable=False)  # the lowest held-out loss so far
        self.waited = tf.get_variable('waited', [], tf.int64, tf.zeros_initializer(),
                                      trainable=False)  # measurements since then
        trained = [v for v in self.weights if config.train_only != 'blocks' or '/h' in v.op.name]
        trained_loss, gradients = loss_and_gradients(
            self.tokens, network, self.counted, trained, recompute=config.recompute,
            compute=Compute(Dropout(config.dropout, self.seed), config.bfloat16))
        self.update = Update(
            tf.train.AdamOptimizer(self.rate), trained, gradients,
            {'loss': trained_loss, 'norm': tf.global_norm(gradients)}, config.accumulate,
            sums(trained, config.accumulate), config.clip)
        # Decoupled from Adam's own scaling (Loshchilov & Hutter 2017); not for gains and offsets.
        shrink = self.rate * config.weight_decay
        matrices = [v for v in trained if len(v.shape) > 1 and config.weight_decay > 0]
        with tf.control_dependencies([tf.assign_sub(v, shrink * v) for v in matrices]):
            self.count = tf.assign_add(self.step, 1)
        self.sampler = Sampler(network, vocabulary)
