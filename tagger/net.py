"""The convolutional network of the image tagger, its data augmentation, training and inference.

3x3 convolutions with max pooling down to about 4 px and batch normalisation (Ioffe & Szegedy
2015), one hidden layer, and a softmax head for the category and for every attribute column. All
random numbers are fed, so one graph serves any number of training runs.
"""

import numpy as np

from dnnlib import tflib
from dnnlib.tflib import tf

_MARGIN = 8  # images are padded by 1 / 8 of their side before cropping
_MOMENTUM = 0.97  # of the moving averages of batch normalisation


def widths(config):
    """Channels of each convolution; each halves the resolution, until it is at most 6 px."""
    halvings, side = 0, config.side
    while side > 6:
        halvings, side = halvings + 1, side // 2
    return [config.fmaps * factor for factor in (1, 2, 4, 6, 8, 8, 8, 8)[:halvings]]


def _norm(x, training, updates):
    """Batch normalisation of x [n, h, w, c]; training appends to `updates`."""
    size = x.shape.as_list()[-1:]
    scale = tf.get_variable('scale', size, initializer=tf.ones_initializer())
    shift = tf.get_variable('shift', size, initializer=tf.zeros_initializer())
    mean = tf.get_variable('mean', size, trainable=False, initializer=tf.zeros_initializer())
    variance = tf.get_variable('variance', size, trainable=False,
                               initializer=tf.ones_initializer())
    if not training:
        return tf.nn.batch_normalization(x, mean, variance, shift, scale, 1e-3)
    y, batch_mean, batch_variance = tf.nn.fused_batch_norm(x, scale, shift, epsilon=1e-3)
    updates += [tf.assign(average, average * _MOMENTUM + (1 - _MOMENTUM) * value)
                for average, value in ((mean, batch_mean), (variance, batch_variance))]
    return y


def network(images, heads, config, training=False):
    """images float32 [n, side, side, 3] in [-1, 1] -> (features [n, config.features],
    {head: logits [n, values]}, updates of the moving averages)."""
    x, updates = images, []
    for index, fmaps in enumerate(widths(config)):
        with tf.variable_scope(f'conv{index}'):
            kernel = tf.get_variable('weight', [3, 3, x.shape.as_list()[-1], fmaps])
            x = tf.nn.conv2d(x, kernel, [1, 1, 1, 1], 'SAME')
            x = tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], 'VALID')
            x = tf.nn.relu(_norm(x, training, updates))
    x = tf.reshape(x, [-1, int(np.prod(x.shape.as_list()[1:]))])
    with tf.variable_scope('hidden'):
        x = tf.matmul(x, tf.get_variable('weight', [x.shape.as_list()[-1], config.features]))
        x = tf.nn.relu(_norm(x[:, tf.newaxis, tf.newaxis], training, updates))[:, 0, 0]
    logits = {}
    for index, (name, values) in enumerate(heads.items()):
        with tf.variable_scope(f'head{index}'):
            bias = tf.get_variable('bias', [len(values)], initializer=tf.zeros_initializer())
            logits[name] = tf.matmul(x, tf.get_variable(
                'weight', [config.features, len(values)])) + bias
    return x, logits, updates


def _images(pictures):
    return tf.cast(pictures, tf.float32) * (2 / 255) - 1


def augmented(images, boxes, gains, blurs):
    """images [n, s, s, 3], cropped and resized, flipped, brightened and blurred.

    boxes [n, 4]: y0, x0, y1, x1 of the crop, as fractions of the image; x0 > x1 flips it.
    gains [n, 2]: contrast factor and brightness offset. blurs [n]: 0 sharp to 1 blurred.
    """
    side = images.shape.as_list()[1]
    margin = side // _MARGIN
    framed = tf.pad(images, [[0, 0], [margin, margin], [margin, margin], [0, 0]], 'SYMMETRIC')
    boxes = (boxes * (side - 1) + margin) / (side + 2 * margin - 1)
    x = tf.image.crop_and_resize(framed, boxes, tf.range(tf.shape(images)[0]), [side, side])
    soft = tf.nn.avg_pool(x, [1, 3, 3, 1], [1, 1, 1, 1], 'SAME')
    x += (soft - x) * blurs[:, tf.newaxis, tf.newaxis, tf.newaxis]
    gains = gains[:, :, tf.newaxis, tf.newaxis, tf.newaxis]
    return tf.clip_by_value(x * gains[:, 0] + gains[:, 1], -1, 1)


def augmentation(count, augment, rng):
    """Random (boxes, gains, blurs) of `augmented` for `count` images; identity if not `augment`."""
    boxes = np.tile(np.float32([0, 0, 1, 1]), [count, 1])
    gains, blurs = np.tile(np.float32([1, 0]), [count, 1]), np.zeros([count], np.float32)
    if augment:
        size = rng.uniform(0.92, 1.08, [count, 1])
        centre = 0.5 + rng.uniform(-0.06, 0.06, [count, 2])
        boxes = np.concatenate([centre - size / 2, centre + size / 2], 1).astype(np.float32)
        boxes = np.where(rng.uniform(size=[count, 1]) < 0.5, boxes, boxes[:, [0, 3, 2, 1]])
        gains = np.stack([rng.uniform(0.9, 1.1, count), rng.uniform(-0.08, 0.08, count)],
                         1).astype(np.float32)
        blurs = rng.uniform(0, 0.5, count).astype(np.float32)
    return boxes, gains, blurs


class Training:
    """The training graph of a network, with a session; use it in a `with` block.

    It holds no data, and `start` resets it, so it serves any number of training runs.
    heads: {name: values}. config: config.Config, of which only the network's size counts.
    """

    def __init__(self, heads, config):
        self._graph = tf.Graph()
        with self._graph.as_default():
            side = config.side
            self._pictures = tf.placeholder(tf.uint8, [None, side, side, 3], 'pictures')
            self._augmentation = [tf.placeholder(tf.float32, shape)
                                  for shape in ([None, 4], [None, 2], [None])]
            self._labels = {name: tf.placeholder(tf.int32, [None]) for name in heads}
            self._weights = {name: tf.placeholder(tf.float32, [None]) for name in heads}
            self._rate = tf.placeholder(tf.float32, [], 'rate')
            self._number = tf.get_variable('step', [], tf.int64, trainable=False,
                                          initializer=tf.zeros_initializer())
            images = augmented(_images(self._pictures), *self._augmentation)
            _, logits, updates = network(images, heads, config, training=True)
            self.loss = sum(tf.reduce_mean(self._weights[name] * (
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=self._labels[name], logits=logits[name]))) for name in heads)
            self._net = [v for v in tf.global_variables() if v is not self._number]
            optimiser = tf.train.AdamOptimizer(self._rate)
            with tf.control_dependencies(updates):
                self._step = optimiser.minimize(self.loss, self._number)
            self._decayed = [v.assign(v * (1 - self._rate * config.weight_decay))
                             for v in self._net if v.op.name.endswith('weight')]
            self._initialise = tf.global_variables_initializer()
            self.session = tflib.session(config.threads)

    def __enter__(self):
        self._entered = self._graph.as_default()
        self._entered.__enter__()
        return self

    def __exit__(self, *error):
        self.session.close()
        self._entered.__exit__(*error)

    def start(self, seed, checkpoint=None):
        """Initialise the weights, or restore a checkpoint -> number of updates done."""
        self.session.run(self._initialise)
        with self._graph.as_default():
            if checkpoint:
                fresh = tflib.restore_matching(self.session, checkpoint, tf.global_variables())
                assert not fresh, fresh
            else:
                tflib.assign(self.session, self._initial(np.random.RandomState([seed, 42])))
        return int(self.session.run(self._number))

    def _initial(self, rng):
        """Initial weights of all kernels (He et al. 2015): {name: array}."""
        values = {}
        for v in self._net:
            name, shape = v.op.name, v.shape.as_list()
            if name.endswith('weight'):
                gain = 1 if name.startswith('head') else 2
                values[name] = rng.standard_normal(shape) * np.sqrt(gain / np.prod(shape[:-1]))
        return values

    def step(self, pictures, labels, weights, *, rate, augmentation):
        """One update -> its loss.

        pictures: uint8 [n, side, side, 3]. labels, weights: {head: [n]}. rate: learning rate.
        augmentation: boxes, gains and blurs.
        """
        feed = dict(zip(self._augmentation, augmentation))
        feed.update({self._pictures: pictures, self._rate: rate})
        for name in self._labels:
            feed[self._labels[name]] = labels[name]
            feed[self._weights[name]] = weights[name]
        loss, _ = self.session.run([self.loss, self._step], feed)
        self.session.run(self._decayed, {self._rate: rate})
        return float(loss)

    def values(self):
        """The network's variables: {name: float32 array}."""
        return self.session.run({v.op.name: v for v in self._net})


class Classifier:
    """A trained network as a function of images, with a session; `close` ends it.

    values: {name: array}, of `Training.values`. Raises ValueError if they do not fit the network.
    """

    BATCH = 64

    def __init__(self, heads, config, values, threads=0):
        with tf.Graph().as_default():
            side = config.side
            self._pictures = tf.placeholder(tf.uint8, [None, side, side, 3])
            self._outputs = network(_images(self._pictures), heads, config)[:2]
            self._session = tflib.session(threads)
            shapes = {v.op.name: tuple(v.shape.as_list()) for v in tf.global_variables()}
            for name, shape in shapes.items():
                if values[name].shape != shape or values[name].dtype.kind != 'f':
                    raise ValueError(f"'{name}' is not an array of floats {list(shape)}")
            tflib.assign(self._session, {name: values[name].astype(np.float32) for name in shapes})
            tf.get_default_graph().finalize()

    def __call__(self, pictures):
        """uint8 [n, side, side, 3] -> features float32 [n, d], {head: logits float32 [n, k]}."""
        parts = [self._session.run(self._outputs, {self._pictures: pictures[i:i + self.BATCH]})
                 for i in range(0, len(pictures), self.BATCH)]
        features, logits = zip(*parts)
        return np.concatenate(features), {name: np.concatenate([part[name] for part in logits])
                                          for name in logits[0]}

    def close(self):
        """End the session."""
        self._session.close()
