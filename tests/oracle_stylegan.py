"""StyleGAN v1's forward passes a second time, in float64 numpy, slow and plain: the tests' oracle.

Written from the papers' description, not from stylegan/networks.py: up-convolutions really double
the image first, down-convolutions really take means afterwards. Weights come as a dict by the
names of the variables in stylegan/networks.py. All images and maps are [n, h, w, c].
"""

import numpy as np


def lrelu(x):
    return np.maximum(x, 0.2 * x)


def conv(x, kernel):
    """Cross-correlation with kernel [k, k, in, out], zero padded to keep the size."""
    size = kernel.shape[0]
    edge = size // 2
    padded = np.pad(x, [(0, 0), (edge, edge), (edge, edge), (0, 0)], 'constant')
    height, width = x.shape[1:3]
    return sum(padded[:, i:i + height, j:j + width] @ kernel[i, j]
               for i in range(size) for j in range(size))


def up(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def down(x):
    return (x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]) / 4


def blur(x):
    channels = x.shape[3]
    kernel = np.outer([1, 2, 1], [1, 2, 1])[:, :, np.newaxis, np.newaxis] / 16
    return conv(x, kernel * np.eye(channels))


def instance_norm(x):
    deviation = x - x.mean((1, 2), keepdims=True)
    return deviation / np.sqrt((deviation ** 2).mean((1, 2), keepdims=True) + 1e-8)


def minibatch_stddev(x, group=4):
    """Sample i belongs to group i mod m; its group's one number is appended as a constant map."""
    group = min(group, len(x))
    groups = len(x) // group
    result = np.concatenate([x, np.zeros_like(x[..., :1])], axis=3)
    for index in range(groups):
        result[index::groups, ..., -1] = np.sqrt(x[index::groups].var(axis=0) + 1e-8).mean()
    return result


class Layers:
    """The layers that have weights; `weights` maps a variable's name to its array."""

    def __init__(self, weights):
        self._weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def value(self, name):
        return self._weights[name]

    def weight(self, scope, gain=np.sqrt(2), lrmul=1.0):
        value = self.value(scope + '/weight')
        return value * (gain / np.sqrt(np.prod(value.shape[:-1])) * lrmul)

    def bias(self, scope, lrmul=1.0):
        return self.value(scope + '/bias') * lrmul

    def conv(self, x, scope, gain=np.sqrt(2)):
        return conv(x, self.weight(scope, gain))

    def finish(self, x, scope, w, plane):
        """Noise, bias, nonlinearity, instance norm, style."""
        x = x + plane * self.value(scope + '/noise_strength')
        x = instance_norm(lrelu(x + self.bias(scope)))
        affine = w @ self.weight(scope + '/style', gain=1) + self.bias(scope + '/style')
        scale, shift = np.split(affine[:, np.newaxis, np.newaxis], 2, axis=3)
        return x * (scale + 1) + shift

    def to_rgb(self, x, scope):
        return self.conv(x, scope + '/ToRGB', gain=1) + self.bias(scope + '/ToRGB')

    def activated(self, x, scope):
        """Convolution, bias, nonlinearity, as everywhere in the discriminator."""
        return lrelu(self.conv(x, scope) + self.bias(scope))


def mapping(z, weights, depth):
    """z [n, latent] -> w [n, latent]; names below 'mapping/'."""
    layers = Layers(weights)
    x = z / np.sqrt((z ** 2).mean(1, keepdims=True) + 1e-8)
    for index in range(depth):
        scope = f'mapping/Dense{index}'
        x = lrelu(x @ layers.weight(scope, lrmul=0.01) + layers.bias(scope, lrmul=0.01))
    return x


def synthesis(ws, weights, *, res, alpha, planes, mirrored_from=128):
    """ws [n, layers, latent] -> images [n, res, res, 3]; names below 'synthesis/'.

    planes: noise by layer; mirrored_from: least output size with kernels turned by 180 degrees.
    """
    layers = Layers(weights)
    x = np.repeat(layers.value('synthesis/4x4/Const/const'), len(ws), axis=0)
    x = layers.finish(x, 'synthesis/4x4/Const', ws[:, 0], planes[0])
    x = layers.conv(x, 'synthesis/4x4/Conv')
    x = layers.finish(x, 'synthesis/4x4/Conv', ws[:, 1], planes[1])
    before, rgb = None, layers.to_rgb(x, 'synthesis/4x4')
    side = 4
    while side < res:
        side *= 2
        scope, layer = f'synthesis/{side}x{side}', 2 * int(np.log2(side)) - 4
        kernel = layers.weight(scope + '/Conv0_up')
        if side >= mirrored_from:
            kernel = kernel[::-1, ::-1]
        x = blur(conv(up(x), kernel))
        x = layers.finish(x, scope + '/Conv0_up', ws[:, layer], planes[layer])
        x = layers.conv(x, scope + '/Conv1')
        x = layers.finish(x, scope + '/Conv1', ws[:, layer + 1], planes[layer + 1])
        before, rgb = rgb, layers.to_rgb(x, scope)
    return rgb if before is None else alpha * rgb + (1 - alpha) * up(before)


def discriminator(image, weights, *, res, alpha):
    """Images [n, res, res, 3] -> scores [n, 1]; names below 'D/'."""
    layers = Layers(weights)
    x = layers.activated(image, f'D/{res}x{res}/FromRGB')
    side = res
    while side > 4:
        scope = f'D/{side}x{side}'
        x = blur(layers.activated(x, scope + '/Conv0'))
        x = lrelu(down(layers.conv(x, scope + '/Conv1_down')) + layers.bias(scope + '/Conv1_down'))
        side //= 2
        if 2 * side == res:
            old = layers.activated(down(image), f'D/{side}x{side}/FromRGB')
            x = alpha * x + (1 - alpha) * old
    x = layers.activated(minibatch_stddev(x), 'D/4x4/Conv')
    x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)  # channels first, as in the released weights
    x = lrelu(x @ layers.weight('D/4x4/Dense0') + layers.bias('D/4x4/Dense0'))
    return x @ layers.weight('D/4x4/Dense1', gain=1) + layers.bias('D/4x4/Dense1')
