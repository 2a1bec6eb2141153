"""What is trained already: the models that are taken where none is named."""

import pathlib

from dnnlib.files import UserError

RUNS = pathlib.Path('runs')
PRETRAINED = pathlib.Path(__file__).parents[1] / 'pretrained'


def newest(pattern):
    """The newest result in a run folder that matches, else the pretrained one. Raises UserError."""
    found = list(RUNS.glob('*/' + pattern)) or list(PRETRAINED.glob('*/' + pattern))
    if not found:
        raise UserError('nothing is trained yet; type: make train-stylegan train-gpt2')
    return max(found, key=lambda path: (path.stat().st_mtime, path.name))


def shipped(path):
    """Whether a file came with the project; what came together goes together."""
    return PRETRAINED.resolve() in pathlib.Path(path).resolve().parents
