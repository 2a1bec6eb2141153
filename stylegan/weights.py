"""Snapshots: networks as an `.npz` of plain arrays, safe to load from anywhere.

Arrays are named as the variables of a training graph: `Gs/...` is the averaged generator, `G/...`
and `D/...` are the networks in training, which only converted pickles hold. `about` is a JSON text
with the network's options, the resolution reached, and what made it.
"""

import dataclasses
import json
import struct
import zipfile
import zlib

import numpy as np

from dnnlib import files, knobs
from dnnlib.files import UserError
from stylegan import released
from stylegan.config import Network

# What numpy, zipfile and json raise on files that are no snapshots, or damaged ones.
_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, struct.error,
           zipfile.BadZipFile, zlib.error)


def save(path, variables, network, *, res, alpha, kimg, made):
    """Write a snapshot. variables: name -> float32 array; made: JSON-able provenance."""
    about = {'format': 'stylegan-v1', 'network': dataclasses.asdict(network),
             'res': res, 'alpha': alpha, 'kimg': kimg, 'made': made}
    with files.replacing(path) as temporary:
        np.savez_compressed(str(temporary), about=np.array(json.dumps(about)), **variables)


def _full(values):
    """Half precision, which halves a file that is shipped, back to float32; all else as it is."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def load(path):
    """Read a snapshot or a released pickle -> (variables: name -> array, Network, about dict).

    Raises UserError.
    """
    path = files.existing(path, 'a snapshot (network-snapshot-NNNNNN.npz)')
    if path.suffix == '.pkl':
        variables, network, options = released.convert(path)
        res, alpha = released.reached(network, options['lod'])
        return variables, network, {'res': res, 'alpha': alpha, 'made': options}
    try:
        with np.load(str(path), allow_pickle=False) as archive:
            variables = {name: _full(archive[name]) for name in archive.files}
        about = json.loads(str(variables.pop('about')))
        network = knobs.from_dict(Network, about['network'])
    except _DAMAGE as error:
        raise UserError('%s is no snapshot of this program, or damaged (%s)' % (path, error))
    return variables, network, about


def newest(folder):
    """The newest snapshot in a run folder, or None."""
    found = sorted(folder.glob('network-snapshot-*.npz')) if folder.is_dir() else []
    return found[-1] if found else None
