"""Snapshots: networks as an `.npz` of plain arrays, safe to load from anywhere.

Arrays are named as the variables of a training graph: `Gs/...` is the averaged generator, `G/...`
and `D/...` are the networks in training, which only converted pickles hold. `about` is a JSON text
with the network's options, the resolution reached, and what made it.
"""

import dataclasses

import numpy as np

from dnnlib import archive, files, knobs
from stylegan.released import names
from stylegan.config import Network


def save(path, variables, network, *, res, alpha, kimg, made):
    """Write a snapshot. variables: name -> float32 array; made: JSON-able provenance."""
    archive.write(path, variables, {
        'format': 'stylegan-v1', 'network': dataclasses.asdict(network), 'res': res,
        'alpha': alpha, 'kimg': kimg, 'made': made})


def _full(values):
    """Half precision, which halves a file that is shipped, back to float32; all else as it is."""
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
    return {name: _full(values) for name, values in variables.items()}, network, about


def newest(folder):
    """The newest snapshot in a run folder, or None."""
    found = sorted(folder.glob('network-snapshot-*.npz')) if folder.is_dir() else []
    return found[-1] if found else None
