"""Pickles like the released ones, of networks so small that tests can afford them."""

import pickle
import sys
import types

import numpy as np

from stylegan.config import Network as Config
from stylegan.released import names


def config(**more):
    """A Network of at most five maps, unless told otherwise."""
    return Config(**dict(dict(resolution=16, latent_size=6, mapping_layers=2, fmap_base=40,
                              fmap_max=5), **more))


class Network:
    """What the released pickles hold: an object with nothing but a state."""

    def __init__(self, **state):
        self.__dict__.update(state)


Network.__module__ = 'dnnlib.tflib.network'


def options(network, **more):
    """The options that a released network of this shape was made with."""
    return dict(dict(
        num_channels=3, resolution=network.resolution, label_size=network.label_size,
        latent_size=network.latent_size, dlatent_size=network.w_width,
        mapping_layers=network.mapping_layers, fmap_base=network.fmap_base,
        mapping_fmaps=network.mapping_fmaps or network.latent_size, fmap_max=network.fmap_max,
        use_noise=network.use_noise, normalize_latents=network.normalize_latents,
        fused_scale={'auto': 'auto', 'yes': True, 'no': False}[network.fused_scale],
        mbstd_group_size=network.mbstd_group), **more)


def _made(name, builder, made_with, values, version, components=()):
    """A network of those values that are not its components'; theirs lose the name in front."""
    own = [(key, value) for key, value in values.items()
           if not key.startswith(('G_mapping/', 'G_synthesis/'))]
    return Network(version=version, name=name, static_kwargs=dict(made_with),
                   components=dict(components), build_module_src='raise RuntimeError',
                   build_func_name=builder, variables=own)


def networks(network=None, *, seed=0, lod=0.0, version=3, **more):
    """(G, D, Gs) with random variables. more: options besides those of `options`."""
    network, random, made = network or config(), np.random.RandomState(seed), []
    made_with = options(network, **more)
    for name in ('G', 'D', 'Gs'):
        table = names.discriminator(network) if name == 'D' else names.generator(network)
        values = {key: np.float32(lod if key.endswith('lod') else random.randn(*shape))
                  for key, (_, shape) in table.items()}
        if name == 'D':
            made.append(_made(name, 'D_basic', made_with, values, version))
            continue
        parts = {part: _made(part, part, made_with, {
            key[len(part) + 1:]: value for key, value in values.items()
            if key.startswith(part + '/')}, version) for part in ('G_synthesis', 'G_mapping')}
        made.append(_made(name, 'G_style', made_with, values, version, {
            'synthesis': parts['G_synthesis'], 'mapping': parts['G_mapping']}))
    return tuple(made)


def pickled(value, protocol=4):
    """The pickle of anything, with Network under the name that the released files give it."""
    before = sys.modules.get(Network.__module__)
    sys.modules[Network.__module__] = module = types.ModuleType(Network.__module__)
    module.Network = Network
    try:
        return pickle.dumps(value, protocol)
    finally:
        del sys.modules[Network.__module__]
        if before:
            sys.modules[Network.__module__] = before
