"""The file of directions, `directions.npz`: plain arrays, one row per direction.

names, kinds, bands: strings [n]; vectors: float32 [n, w], of unit length; normals: float32 [n, w];
scales, biases, aucs: float64 [n]; about: a JSON text with what made them.
"""

import dataclasses

import numpy as np

from dnnlib import archive
from dnnlib.files import UserError
from stylegan import labelled

_COLUMNS = {'name': 'names', 'vector': 'vectors', 'scale': 'scales', 'band': 'bands',
            'kind': 'kinds', 'auc': 'aucs', 'normal': 'normals', 'bias': 'biases'}


@dataclasses.dataclass(frozen=True, eq=False)
class Direction:
    """One direction in w.

    name:   such as 'pca3' or 'sleeve=long sleeves'.
    vector: float32 [w], unit length: what to add to w.
    scale:  length in w of one unit of strength: a standard deviation of w along the vector.
    band:   the layers to move, as `latent.band` reads them.
    kind:   how it was found: sefa, pca, lda, logistic or ridge.
    auc:    how well the score tells held-out pictures apart; nan where nothing was labelled.
    normal: float32 [w]; w @ normal + bias is the score: log odds of the property, or the number
            that ridge estimates; without labels, the place along the vector.
    bias:   see there.
    """
    name: str
    vector: np.ndarray
    scale: float
    band: str
    kind: str
    auc: float
    normal: np.ndarray
    bias: float


def save(path, directions, about):
    """Write a list of Directions; about: JSON-able, what made them."""
    archive.write(path, {column: [getattr(direction, field) for direction in directions]
                         for field, column in _COLUMNS.items()}, about)


def load(path):
    """Read a file of `save` -> ({name: Direction}, about). Raises UserError."""
    with archive.reading(path, 'file of directions', 'make it again: python run.py '
                         'directions') as arrays:
        columns = {field: arrays[column] for field, column in _COLUMNS.items()}
        about = archive.about(arrays)
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    for row in rows:
        row.update({field: str(row[field]) for field in ('name', 'band', 'kind')},
                   **{field: float(row[field]) for field in ('scale', 'auc', 'bias')})
    return {row['name']: Direction(**row) for row in rows}, about


def recall(folder, made):
    """What `run.py directions` has left in a folder: (labelled.LabelledSample, {name: Direction}).

    made: {name: fingerprint} of the generator and the tagger, as saved in both files. Raises
    UserError if there is nothing yet, or something of others.
    """
    again = f'python run.py directions --out {folder}'
    if not (folder / 'directions.npz').exists():
        raise UserError(f'there are no directions in {folder} yet; find them first: {again}')
    sample, of_sample = labelled.load(folder / 'tagged.npz')
    found, of_found = load(folder / 'directions.npz')
    for name, own in made.items():
        if not of_sample.get(name) == of_found.get(name) == own:
            raise UserError(f'{folder} is of another {name}; type: {again}')
    return sample, found


def named(directions, name):
    """One of {name: Direction}; an unknown name is a UserError that lists the known ones."""
    if name not in directions:
        raise UserError(f"there is no direction '{name}'; known are: {', '.join(directions)}")
    return directions[name]
