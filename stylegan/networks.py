"""The three networks of StyleGAN v1, each at one resolution with a fade scalar `alpha`.

Variable names carry the resolution (`synthesis/8x8/Conv0_up/weight`), never the level of detail:
a larger network has all names of the smaller one, so to grow is to restore by name.

Feature maps are NHWC; images are float32 in [-1, 1].
"""

from dnnlib.tflib import shape_list, tf
from stylegan import ops


def layers(res):
    """The number of layers of the synthesis network at `res` px; each takes a style and noise."""
    return 2 * (res.bit_length() - 1) - 2


def noise_res(layer):
    """Side of a layer's noise input in px: 4, 4, 8, 8, 16, 16, ..."""
    return 2 ** (layer // 2 + 2)


def style_names(res):
    """Variable names of all layers' style matrices in a snapshot, in the order of the layers."""
    scopes = ['4x4/Const', '4x4/Conv']
    for r in range(3, res.bit_length()):
        scopes += [f'{2 ** r}x{2 ** r}/{conv}' for conv in ('Conv0_up', 'Conv1')]
    return [f'Gs/synthesis/{scope}/style/weight' for scope in scopes]


def mapping(z, network, labels=None):
    """The mapping network: z [n, latent] -> w [n, w] (Karras et al. 2018, section 2, appendix C).

    labels: [n, label_size], for a conditional network.
    """
    with tf.variable_scope('mapping'):
        x = z
        if network.label_size:
            with tf.variable_scope('LabelConcat'):
                embedding = tf.get_variable('weight', [network.label_size, network.latent_size],
                                            initializer=tf.random_normal_initializer())
            x = tf.concat([x, tf.matmul(labels, embedding)], 1)
        if network.normalize_latents:
            x *= tf.rsqrt(tf.reduce_mean(tf.square(x), 1, keepdims=True) + 1e-8)
        for index, width in enumerate(network.mapping_widths):
            with tf.variable_scope(f'Dense{index}'):
                x = ops.dense(x, width, lrmul=network.mapping_lrmul)
                x = ops.lrelu(ops.bias(x, lrmul=network.mapping_lrmul))
    return x


def stored_noise(layer):
    """The constant noise [1, h, w, 1] stored with the weights, for reproducible images."""
    res = noise_res(layer)
    return tf.get_variable('noise', [1, res, res, 1], trainable=False,
                           initializer=tf.random_normal_initializer())


def _finish(x, layer, ws, planes):
    """What follows every convolution: bias, noise, nonlinearity, AdaIN."""
    x = ops.bias(x)
    if planes is not None:
        x = ops.noise(x, planes(layer))
    return ops.adain(ops.lrelu(x), ws[:, layer])


def _to_rgb(x):
    with tf.variable_scope('ToRGB'):
        return ops.bias(ops.conv(x, 3, kernel=1, gain=1.0))


def synthesis(ws, network, *, res, alpha, planes):
    """The synthesis network: ws [n, layers(res), w] -> images [n, res, res, 3].

    alpha:  weight of the highest resolution; the rest is the one below, upscaled.
    planes: function layer -> noise [n or 1, h, w, 1], called in that layer's scope; not called
            for networks without noise inputs.
    """
    if not network.use_noise:
        planes = None
    assert shape_list(ws)[1:] == [layers(res), network.w_width], shape_list(ws)
    mirrored_from = {'auto': 128, 'yes': 8, 'no': 2 * network.resolution}[network.fused_scale]
    with tf.variable_scope('synthesis'):
        with tf.variable_scope('4x4'):
            with tf.variable_scope('Const'):
                x = tf.get_variable('const', [1, 4, 4, network.fmaps(1)],
                                    initializer=tf.ones_initializer())
                x = _finish(tf.tile(x, [tf.shape(ws)[0], 1, 1, 1]), 0, ws, planes)
            with tf.variable_scope('Conv'):
                x = _finish(ops.conv(x, network.fmaps(1)), 1, ws, planes)
            rgb = _to_rgb(x)
        for r in range(3, res.bit_length()):
            fmaps = network.fmaps(r - 1)
            with tf.variable_scope(f'{2 ** r}x{2 ** r}'):
                with tf.variable_scope('Conv0_up'):
                    x = ops.blur(ops.up_conv(x, fmaps, mirrored=2 ** r >= mirrored_from))
                    x = _finish(x, 2 * r - 4, ws, planes)
                with tf.variable_scope('Conv1'):
                    x = _finish(ops.conv(x, fmaps), 2 * r - 3, ws, planes)
                before, rgb = rgb, _to_rgb(x)
        if res > 4:
            rgb = ops.mix(ops.up(before), rgb, alpha)
    assert shape_list(rgb)[1:] == [res, res, 3]
    return rgb


def _from_rgb(image, fmaps):
    with tf.variable_scope('FromRGB'):
        return ops.lrelu(ops.bias(ops.conv(image, fmaps, kernel=1)))


def discriminator(image, network, *, res, alpha, labels=None):
    """Images [n, res, res, 3] -> scores [n, 1], the logits of being real.

    labels: [n, label_size], for a conditional network: each image's score is that of its class.
    """
    n = shape_list(image)[0]
    assert shape_list(image)[1:] == [res, res, 3], shape_list(image)
    with tf.variable_scope('D', reuse=tf.AUTO_REUSE):
        top = res.bit_length() - 1
        with tf.variable_scope(f'{res}x{res}'):
            x = _from_rgb(image, network.fmaps(top - 1))
        for r in range(top, 2, -1):
            with tf.variable_scope(f'{2 ** r}x{2 ** r}'):
                with tf.variable_scope('Conv0'):
                    x = ops.lrelu(ops.bias(ops.conv(x, network.fmaps(r - 1))))
                with tf.variable_scope('Conv1_down'):
                    x = ops.conv_down(ops.blur(x), network.fmaps(r - 2))
                    x = ops.lrelu(ops.bias(x))
            if r == top:
                with tf.variable_scope(f'{2 ** (r - 1)}x{2 ** (r - 1)}'):
                    old = _from_rgb(ops.down(image), network.fmaps(r - 2))
                x = ops.mix(old, x, alpha)
        with tf.variable_scope('4x4'):
            with tf.variable_scope('Conv'):
                x = ops.conv(ops.minibatch_stddev(x, network.mbstd_group), network.fmaps(1))
                x = ops.lrelu(ops.bias(x))
            # The released weights flatten channels first.
            x = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [n, 16 * network.fmaps(1)])
            with tf.variable_scope('Dense0'):
                x = ops.lrelu(ops.bias(ops.dense(x, network.fmaps(0))))
            with tf.variable_scope('Dense1'):
                x = ops.bias(ops.dense(x, max(1, network.label_size), gain=1.0))
                if network.label_size:
                    x = tf.reduce_sum(x * labels, 1, keepdims=True)
    assert shape_list(x) == [n, 1]
    return x
