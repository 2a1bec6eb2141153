"""Snapshots: networks as an `.npz` of plain arrays, and what a training may start from.

Arrays are named as the variables of the training graph: `Gs/...` is the averaged generator; `G/...`
and `D/...` are the generator and the discriminator themselves, which are only in converted pickles,
in the last snapshot of a training and in the pretrained one. Arrays may be in half precision.
`about` is a JSON text: the network's config, the resolution reached, and what made the file.
"""

import dataclasses

import numpy as np

from dnnlib import archive, files, knobs
from dnnlib.files import UserError
from stylegan import schedule
from stylegan.config import Network, Training
from stylegan.released import names


def save(path, variables, network, *, res, alpha, kimg, made):
    """Write a snapshot. variables: name -> float32 or float16 array; made: JSON-able provenance."""
    archive.write(path, variables, {
        'format': 'stylegan-v1', 'network': dataclasses.asdict(network), 'res': res,
        'alpha': alpha, 'kimg': kimg, 'made': made})


def _float32(values):
    """float16, which halves the size of a pretrained file, as float32; other arrays unchanged."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def load(path):
    """Read a snapshot or a released pickle -> (variables: name -> array, Network, about dict).

    Raises UserError.
    """
    path = files.existing(path, 'a snapshot (network-snapshot-NNNNNN.npz)')
    if path.suffix == '.pkl':
        variables, network, options = names.convert(path)
        res, alpha = names.reached(network, options['lod'])
        return variables, network, {'res': res, 'alpha': alpha, 'made': options}
    with archive.reading(path, 'snapshot of this program', 'copy it again, or give another '
                         'network-snapshot-NNNNNN.npz') as variables:
        about = archive.about(variables)
        network = knobs.from_dict(Network, about['network'])
        if type(about['res']) is not int or about['res'] not in (
                [4 << level for level in range(network.log2 - 1)]):
            raise ValueError("its 'res' is not a resolution of the network")
        if not 0 <= about['alpha'] <= 1:
            raise ValueError("its 'alpha' is not from 0 to 1")
        archive.finite(variables)
    return {name: _float32(values) for name, values in variables.items()}, network, about


def check_shapes(path, variables, expected):
    """Raise UserError unless `variables` of `path` has the arrays `expected`, {name: shape}."""
    for name, shape in sorted(expected.items()):
        if name not in variables:
            raise UserError(f'{path} lacks {name}; it does not fit its own options')
        if list(variables[name].shape) != list(shape):
            raise UserError(f'{path}: {name} is {list(variables[name].shape)} and should be '
                            f'{list(shape)}; it does not fit its own options')


def newest(folder):
    """The newest snapshot in a run folder, or None."""
    found = sorted(folder.glob('network-snapshot-*.npz')) if folder.is_dir() else []
    return found[-1] if found else None


def load_all(path):
    """G, D and Gs at full resolution, to start a training from -> (name -> array, Network).

    path: a run folder, a released pickle, or an .npz that holds all three networks.
    Raises UserError if a network is missing or has not reached its full resolution.
    """
    path = files.existing(path, 'a run folder, a StyleGAN .pkl or a converted .npz')
    if path.is_dir():
        variables, network = _from_checkpoint(path)
    else:
        variables, network, about = load(path)
        _refuse_growing(path, about['res'], about['alpha'], network)
    top = f'{network.resolution}x{network.resolution}'
    for needed in (f'D/{top}/FromRGB/weight', f'G/synthesis/{top}/ToRGB/weight',
                   f'Gs/synthesis/{top}/ToRGB/weight'):
        if needed not in variables:
            raise UserError(f'{path} lacks {needed}; a training starts from G, D and Gs at full '
                            'resolution: give the folder of a run that has reached it, a pickle '
                            'or a converted .npz')
    return variables, network


def _refuse_growing(path, res, alpha, network):
    if res < network.resolution or alpha < 1:
        raise UserError(f'{path} has only grown to {res} of {network.resolution} px'
                        + (f', faded in to {100 * alpha:.0f} %' if alpha < 1 else '')
                        + '; give a network at its full resolution')


def _from_checkpoint(folder):
    """All networks in the newest checkpoint of a run folder, as for `load_all`."""
    from dnnlib import runs  # and TensorFlow, which no other function here needs
    from dnnlib.tflib import tf
    checkpoint = runs.latest_checkpoint(folder)
    if checkpoint is None:
        raise UserError(f'{folder} holds no checkpoint; give the folder of a training')
    reader, (options, _) = tf.train.load_checkpoint(checkpoint), runs.read_options(folder)
    network = network_of(options)
    at = schedule.position(int(reader.get_tensor('nimg')), network,
                           _config_of(Training, options))
    _refuse_growing(folder, at.resolution, at.alpha, network)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
            if name.startswith(('G/', 'D/', 'Gs/')) and '_adam' not in name}, network


def network_of(options):
    """The Network of a run with these options, as `runs.read_options` reads them."""
    return _config_of(Network, options)


def _config_of(config, options):
    fields = [field.name for field in dataclasses.fields(config)]
    return knobs.from_dict(config, {name: options[name] for name in fields if name in options})
