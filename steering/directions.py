"""The file of directions, `directions.npz`: plain arrays, one row per direction.

names, kinds, bands: strings [n]; vectors: float32 [n, w], of unit length; normals: float32 [n, w];
scales, biases, aucs: float64 [n]; about: what they were made from.
"""

import dataclasses
import shlex

import numpy as np

from dnnlib import archive, files
from dnnlib.files import UserError
from stylegan import labelled

_COLUMNS = {'name': 'names', 'vector': 'vectors', 'scale': 'scales', 'band': 'bands',
            'kind': 'kinds', 'auc': 'aucs', 'normal': 'normals', 'bias': 'biases'}
_TEXTS, _NUMBERS = ('name', 'band', 'kind'), ('scale', 'auc', 'bias')
_VECTORS = ('vector', 'normal')


@dataclasses.dataclass(frozen=True, eq=False)
class Direction:
    """One direction in w.

    name:   such as 'pca3' or 'sleeve=long sleeves'.
    vector: float32 [w], unit length: what to add to w.
    scale:  length in w of one unit of strength: the standard deviation of w along the vector.
    band:   the layers to move, as `latent.band` reads them.
    kind:   the method: sefa, pca, lda, logistic or ridge.
    auc:    area under the ROC curve of the score on held-out images; nan without labels.
    normal: float32 [w]; w @ normal + bias is the score: the log odds of the attribute, or the
            prediction of ridge regression; without labels, the position along the vector.
    bias:   see normal.
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
    """Write a list of Directions; about: JSON-able, what they were made from."""
    archive.write(path, {column: [getattr(direction, field) for direction in directions]
                         for field, column in _COLUMNS.items()}, about)


def _check(columns):
    """Raise ValueError if the arrays are not those of `save`."""
    count, names = len(columns['name']), columns['name']
    for field, values in columns.items():
        kinds = 'U' if field in _TEXTS else 'f'
        if values.dtype.kind not in kinds or values.ndim != 1 + (field in _VECTORS) or (
                len(values) != count):
            raise ValueError(f"its '{_COLUMNS[field]}' have the shape {values.shape}")
    if columns['vector'].shape != columns['normal'].shape or not count:
        raise ValueError('it has no directions, or normals of another size')
    if len(set(names.tolist())) < count:
        raise ValueError('two directions have the same name')
    archive.finite({name: values for name, values in columns.items() if name != 'auc'})


def load(path):
    """Read a file of `save` -> ({name: Direction}, about). Raises UserError."""
    with archive.reading(path, 'file of directions', 'make it again: python run.py '
                         'directions') as arrays:
        columns = {field: arrays[column] for field, column in _COLUMNS.items()}
        _check(columns)
        about = archive.about(arrays)
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    for row in rows:
        row.update({field: str(row[field]) for field in _TEXTS},
                   **{field: float(row[field]) for field in _NUMBERS},
                   **{field: np.float32(row[field]) for field in _VECTORS})
    return {row['name']: Direction(**row) for row in rows}, about


def load_all(folder, models, width):
    """The output of `run.py directions`: (labelled.LabelledSample, {name: Direction}).

    models: {name: digest} of the generator and the tagger, as saved in both files; width: of w.
    Raises UserError if the folder has no directions, or those of another generator or tagger.
    """
    if not (folder / 'directions.npz').exists():
        raise UserError(f'there are no directions in {folder} yet; find them first, with the same '
                        f'networks: python run.py directions --out {shlex.quote(str(folder))}')
    again = ('find others, with the same networks: python run.py directions --out OTHER_FOLDER, '
             'and give them with --directions')
    sample, of_sample = labelled.load(folder / 'tagged.npz')
    found, of_found = load(folder / 'directions.npz')
    for name, own in models.items():
        if not of_sample.get(name) == of_found.get(name) == own:
            raise UserError(f'{folder} is of another {name}; {again}')
    widths = {direction.vector.size for direction in found.values()} | {sample.w.shape[1]}
    if widths != {width}:
        raise UserError(f'{folder} has directions of another size than w; {again}')
    return sample, found


def named(directions, name):
    """One of {name: Direction}; an unknown name is a UserError that lists the known ones."""
    if name not in directions:
        known = files.printable(', '.join(directions))
        raise UserError(f"there is no direction '{files.printable(name)}'; known are: {known}")
    return directions[name]
