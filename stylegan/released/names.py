"""Released StyleGAN v1 networks translated to ours: config, variable names and layouts.

The originals count RGB layers down from the full resolution (`ToRGB_lod0`) and are NCHW; ours name
layers by resolution and are NHWC. Other weights are identical.
"""

import hashlib
import pathlib

import numpy as np

from dnnlib.files import UserError
from stylegan.config import Network
from stylegan.released import pickles
from stylegan.released.pickles import Refused, shown

BUILDERS = {'G': 'G_style', 'D': 'D_basic', 'Gs': 'G_style', 'mapping': 'G_mapping',
            'synthesis': 'G_synthesis'}
_LATER = ('G_main', 'G_synthesis_stylegan2', 'G_synthesis_stylegan_revised', 'D_stylegan',
          'D_stylegan2')
# Their options that our networks lack, with the only supported value.
_FIXED = {'num_channels': 3, 'fmap_decay': 1, 'mapping_lrmul': 0.01, 'nonlinearity': 'lrelu',
          'mapping_nonlinearity': 'lrelu', 'use_wscale': True, 'use_styles': True,
          'const_input_layer': True, 'use_pixel_norm': False, 'use_instance_norm': True,
          'blur_filter': [1, 2, 1], 'mbstd_num_features': 1}
_FUSED = {'auto': 'auto', 'True': 'yes', 'False': 'no'}


def convert(path):
    """Read a released pickle -> (variables, Network, options).

    variables: float32 arrays by our names, 'G/...', 'D/...' and 'Gs/...'; noise inputs of Gs only.
    options: the config of each network in the pickle, and 'lod', the level of detail.
    Raises UserError for anything but a StyleGAN v1, and for unsupported layers.
    """
    networks = pickles.read(path)
    with pickles.naming(path):
        for name in networks:
            _check_builders(name, networks[name])
        options = {name: _options(networks[name]) for name in networks}
        network = _network(options)
        variables = {}
        for name in networks:
            table = discriminator(network) if name == 'D' else generator(network)
            for ours, value in _joined(networks[name].variables, table, name):
                if name == 'Gs' or not ours.endswith('/noise'):  # training draws new noise
                    variables[f'{name}/{ours}'] = value
        options['lod'] = float(networks['Gs'].variables['lod'])
        if not 0 <= options['lod'] <= network.log2 - 2:
            raise Refused(f"its level of detail is {options['lod']:g}")
    return variables, network, options


def reached(network, lod):
    """(res, alpha): the resolution reached at `lod`, and the weight of its fade-in.

    lod counts doublings below the full resolution; a fraction is a fade-in (Karras et al. 2017,
    section 2).
    """
    return network.resolution >> int(lod), 1 - (lod - int(lod))


def counts(variables):
    """Trainable parameters of each network of `convert`: name -> int."""
    totals = dict.fromkeys(pickles.NETWORKS, 0)
    for name, value in variables.items():
        if not name.endswith(('/noise', '/dlatent_avg')):
            totals[name.split('/')[0]] += value.size
    return totals


def describe(path, variables, network, options):
    """A summary of a released pickle and of the output of `convert`, as text."""
    totals, (res, alpha) = counts(variables), reached(network, options['lod'])
    noises = sum(name.endswith('/noise') for name in variables)
    lines = [f'{path}: StyleGAN v1, {network.resolution} x {network.resolution} px',
             f'sha256 {hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()}',
             f"level of detail {options['lod']:g}: grown to {res} px, the newest layers faded in "
             f'to {100 * alpha:.0f} %']
    for name, what in [('G', 'generator'), ('D', 'discriminator'),
                       ('Gs', f'moving average of the generator, with {noises} noise inputs')]:
        lines.append(f'{name:2} {totals[name]:,} parameters: {what}')
        lines.append('   ' + ', '.join(f'{shown(key)[1:-1]} {value!a}'
                                       for key, value in sorted(options[name].items())))
    return '\n'.join(lines)


# --- Their config.

def _check_builders(name, released):
    """Check that the networks are built by the functions of StyleGAN v1."""
    parts = dict(released.components, **{name: released})
    for part in sorted(parts):
        builder = parts[part].build_func_name
        if builder in _LATER or any('mod_weight' in key for key in parts[part].variables):
            raise Refused(f'it holds a StyleGAN2 ({shown(builder)}): its modulated convolutions '
                          'do not fit StyleGAN v1')
        if builder != BUILDERS[part]:
            raise Refused(f'its network {part} is built by {shown(builder)} instead of '
                          f'{BUILDERS[part]}')
    if set(parts) != {name} | ({'mapping', 'synthesis'} if name != 'D' else set()):
        raise Refused(f'its network {name} has other components than a StyleGAN v1')


def _options(released):
    """The options of a network, overridden by those of its components."""
    options = dict(released.static_kwargs)
    for part in released.components.values():
        options.update(part.static_kwargs)
    for key in sorted(set(options) & set(_FIXED)):
        if options[key] != _FIXED[key]:
            raise Refused(f'its option {key} is {shown(str(options[key]))}; only {_FIXED[key]} is '
                          'supported')
    return options


def _network(options):
    """The Network described by all three sets of options. Raises Refused if they differ."""
    network = _config(options['G'], options['D'])
    for name, other in [('Gs', _config(options['Gs'], options['D'])),
                        ('D', _config(dict(options['G'], **_shared(options['D'])), options['D']))]:
        for key, value in vars(network).items():
            if vars(other)[key] != value:
                raise Refused(f'its networks G and {name} differ in {key}: {value} and '
                              f'{vars(other)[key]}')
    return network


def _shared(options):
    """The options that determine the shapes of a discriminator."""
    defaults = {'resolution': 32, 'fmap_base': 8192, 'fmap_max': 512, 'label_size': 0}
    return {key: options.get(key, defaults[key]) for key in defaults}


def _config(generator, discriminator):
    """The options of a generator and of a discriminator -> Network.

    Missing options have the defaults of the original program.
    """
    latent, w_size, mapping_fmaps = [
        _whole(generator, key, 512) for key in ('latent_size', 'dlatent_size', 'mapping_fmaps')]
    fused = str(generator.get('fused_scale', 'auto'))
    if fused not in _FUSED:
        raise Refused(f'its option fused_scale is {shown(fused)}')
    try:
        return Network(
            resolution=_whole(generator, 'resolution', 1024), latent_size=latent,
            w_size=0 if w_size == latent else w_size,
            mapping_layers=_whole(generator, 'mapping_layers', 8),
            mapping_fmaps=0 if mapping_fmaps == latent else mapping_fmaps,
            normalize_latents=_flag(generator, 'normalize_latents'),
            fmap_base=_whole(generator, 'fmap_base', 8192),
            fmap_max=_whole(generator, 'fmap_max', 512),
            use_noise=_flag(generator, 'use_noise'), fused_scale=_FUSED[fused],
            mbstd_group=_whole(discriminator, 'mbstd_group_size', 4),
            label_size=_whole(generator, 'label_size', 0))
    except UserError as error:
        raise Refused(str(error).split(';')[0])  # the rest is advice about flags


def _whole(options, key, default):
    value = options.get(key, default)
    if type(value) not in (int, float) or not 0 <= value <= 2 ** 20 or value % 1:
        raise Refused(f'its option {key} is {shown(str(value))}')
    return int(value)


def _flag(options, key):
    value = options.get(key, True)
    if type(value) is not bool:
        raise Refused(f'its option {key} is {shown(str(value))}')
    return value


# --- Names. A table maps each of their variables to (our name, their shape).

def generator(network):
    """The table of a released generator; None: ours has no such variable."""
    table = {'lod': (None, ()), 'dlatent_avg': ('dlatent_avg', (network.w_width,)),
             'G_synthesis/lod': (None, ())}
    for names in (_mapping(network), _synthesis(network)):
        table.update(names)
    return table


def _mapping(network):
    shapes, fan_in = {}, network.latent_size
    if network.label_size:
        shapes['LabelConcat/weight'] = (network.label_size, network.latent_size)
        fan_in *= 2
    for index, width in enumerate(network.mapping_widths):
        shapes[f'Dense{index}/weight'] = (fan_in, width)
        shapes[f'Dense{index}/bias'] = (width,)
        fan_in = width
    return {'G_mapping/' + name: ('mapping/' + name, shapes[name]) for name in shapes}


def _synthesis(network):
    table, fan_in = {}, 0

    def add(theirs, ours, *shape):
        table['G_synthesis/' + theirs] = ('synthesis/' + ours, shape)

    for r in range(2, network.log2 + 1):
        block, fmaps = f'{2 ** r}x{2 ** r}/', network.fmaps(r - 1)
        for index, layer in enumerate(('Conv0_up', 'Conv1') if r > 2 else ('Const', 'Conv')):
            layer = block + layer
            if layer == '4x4/Const':
                add(layer + '/const', layer + '/const', 1, fmaps, 4, 4)
            else:
                add(layer + '/weight', layer + '/weight', 3, 3, fan_in, fmaps)
            if network.use_noise:
                add(f'noise{2 * r - 4 + index}', layer + '/noise', 1, 1, 2 ** r, 2 ** r)
                add(layer + '/Noise/weight', layer + '/noise_strength', fmaps)
            add(layer + '/bias', layer + '/bias', fmaps)
            add(layer + '/StyleMod/weight', layer + '/style/weight', network.w_width, 2 * fmaps)
            add(layer + '/StyleMod/bias', layer + '/style/bias', 2 * fmaps)
            fan_in = fmaps
        rgb = f'ToRGB_lod{network.log2 - r}/'
        add(rgb + 'weight', block + 'ToRGB/weight', 1, 1, fmaps, 3)
        add(rgb + 'bias', block + 'ToRGB/bias', 3)
    return table


def discriminator(network):
    """The table of a released discriminator."""
    table = {'lod': (None, ())}

    def add(theirs, ours, *shape):
        table[theirs + '/weight'] = (ours + '/weight', shape)
        table[theirs + '/bias'] = (ours + '/bias', shape[-1:])

    for r in range(network.log2, 1, -1):
        block, fmaps, less = f'{2 ** r}x{2 ** r}/', network.fmaps(r - 1), network.fmaps(r - 2)
        add(f'FromRGB_lod{network.log2 - r}', block + 'FromRGB', 1, 1, 3, fmaps)
        if r > 2:
            add(block + 'Conv0', block + 'Conv0', 3, 3, fmaps, fmaps)
            add(block + 'Conv1_down', block + 'Conv1_down', 3, 3, fmaps, less)
    add('4x4/Conv', '4x4/Conv', 3, 3, fmaps + 1, fmaps)
    add('4x4/Dense0', '4x4/Dense0', 16 * fmaps, less)
    add('4x4/Dense1', '4x4/Dense1', less, max(1, network.label_size))
    return table


def _joined(variables, table, network):
    """Yield (our name, value) of the variables of a network. Raises Refused if they do not fit."""
    for theirs in list(table) + sorted(variables):
        if theirs not in variables:
            raise Refused(f'its network {network} lacks the variable {theirs}')
        if theirs not in table:
            raise Refused(f'its network {network} has the unknown variable {shown(theirs)}')
        if variables[theirs].shape != table[theirs][1]:
            raise Refused(f'its variable {theirs} of network {network} has the shape '
                          f'{variables[theirs].shape}; by its options it is {table[theirs][1]}')
    for theirs, (ours, _) in table.items():
        value = variables[theirs]
        if ours:
            if ours.endswith(('/const', '/noise')):
                value = np.ascontiguousarray(value.transpose(0, 2, 3, 1))
            yield ours, value
