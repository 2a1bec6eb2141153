"""Where a training may start from: the networks of another one, whole, at its full resolution."""

import dataclasses

from dnnlib import files, knobs, runs
from dnnlib.files import UserError
from dnnlib.tflib import tf
from stylegan import snapshots
from stylegan.config import Network


def read(path):
    """Read what a training starts from -> (variable name -> array of G, D and Gs, Network).

    path: a run folder, a released pickle, or an .npz converted from one.
    Raises UserError if a network is missing or has not reached its full resolution.
    """
    path = files.existing(path, 'a run folder, a StyleGAN .pkl or a converted .npz')
    if path.is_dir():
        variables, network = _of_run(path)
    else:
        variables, network, about = snapshots.load(path)
        if about['res'] < network.resolution or about['alpha'] < 1:
            raise UserError('%s has only grown to %d of %d px; give one that has grown up' % (
                path, about['res'], network.resolution))
    top = '%dx%d' % (network.resolution, network.resolution)
    for needed in (f'D/{top}/FromRGB/weight', f'G/synthesis/{top}/ToRGB/weight',
                   f'Gs/synthesis/{top}/ToRGB/weight'):
        if needed not in variables:
            raise UserError('%s lacks %s: to start from it takes G, D and Gs at full size; give '
                            'a run folder that has grown up, a pickle or a converted .npz'
                            % (path, needed))
    return variables, network


def _of_run(folder):
    checkpoint = runs.latest_checkpoint(folder)
    if checkpoint is None:
        raise UserError(f'{folder} holds no checkpoint; give the folder of a training')
    options = files.read_json(folder / 'options.json')['options']
    fields = [field.name for field in dataclasses.fields(Network)]
    network = knobs.from_dict(Network, {name: options[name] for name in fields if name in options})
    reader = tf.train.load_checkpoint(checkpoint)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
            if name.startswith(('G/', 'D/', 'Gs/')) and '_adam' not in name}, network
