"""A sample of styles and what their pictures show: what directions are learnt from.

Who looks at the pictures is a function here, pictures -> {head: probabilities [n, values]}; heads
are {name: (value, ...)}, such as {'sleeve': ('', 'long sleeves', ...)}, the category first.
"""

import numpy as np

from dnnlib import archive, progress
from dnnlib.files import UserError

_BATCH = 64
FEWEST = 3  # pictures that show two values together make the pair plausible


class Tagged:
    """w float32 [n, w], heads, and probabilities {head: float32 [n, len(values)]}."""

    def __init__(self, w, heads, probabilities):
        self.w, self.heads, self.probabilities = w, heads, probabilities
        self.values = {head: p.argmax(1) for head, p in probabilities.items()}

    def __len__(self):
        return len(self.w)

    def place(self, head, value):
        """The index of a head's value. Raises UserError that lists the known ones."""
        return place(self.heads, head, value)

    def plausible(self, head, value):
        """bool [n]: could what the picture shows also have this value (an index) of the head?

        Yes where each of its other values was seen together with the asked one FEWEST times or
        more: trousers do not get sleeves. Every picture could have another category, the first
        head, as the rest would change with it.
        """
        shows = self.values[head] == value
        result = np.ones(len(self), bool)
        if head == next(iter(self.heads)):
            return result
        for other, values in self.values.items():
            if other != head:
                together = np.bincount(values[shows], minlength=len(self.heads[other]))
                result &= (together >= FEWEST)[values]
        return result


def place(heads, head, value):
    """The index of a head's value in {head: values}. Raises UserError that lists the known ones."""
    if head not in heads:
        raise UserError(f"there is no attribute '{head}'; known are: {', '.join(heads)}")
    if value not in heads[head]:
        raise UserError("%s has no value '%s'; known are: %s" % (
            head, value, ', '.join(known or "''" for known in heads[head])))
    return heads[head].index(value)


def truncated(generator, w, psi):
    """w [n, w] drawn towards the average in all layers alike, so that it stays one w.

    psi: a number, or one for each [n, 1].
    """
    return np.float32(generator.w_avg + (w - generator.w_avg) * np.float32(psi))


def layered(w, layers):
    """w [n, w] as the styles of all layers, ws [n, layers, w]."""
    return np.repeat(w[:, np.newaxis], layers, 1)


def look(generator, see, ws, what=''):
    """ws [n, layers, w] -> {head: probabilities [n, values]} of their pictures."""
    seen = [see(generator.pictures(ws[i:i + _BATCH]))
            for i in progress.bar(range(0, len(ws), _BATCH), what=what, unit='batch', leave=False,
                                  disable=not what)]
    return {head: np.concatenate([part[head] for part in seen]) for head in seen[0]}


def collect(generator, heads, see, *, count, psi, seed):
    """A Tagged of `count` pictures, those of the seeds from `seed` on, all layers truncated."""
    w = truncated(generator, generator.w(generator.seeded(range(seed, seed + count))), psi)
    return Tagged(w, heads, look(generator, see, layered(w, generator.layers), 'tagging'))


def recall(path, generator, heads, see, *, count, psi, seed, made):
    """As `collect`, kept in a file: what was made of the same count, psi, seed and `made` is read.

    made: JSON-able facts that tell generators and taggers apart.
    """
    about = dict(made, count=count, psi=psi, seed=seed)
    if path.exists():
        known, before = load(path)
        if before == about:
            return known
    tagged = collect(generator, heads, see, count=count, psi=psi, seed=seed)
    save(path, tagged, about)
    return load(path)[0]  # as it will be read the next time: halves of float32


def save(path, tagged, about):
    """Write a Tagged as `.npz`; about: JSON-able, what made it."""
    arrays = {'p/' + head: p.astype(np.float16) for head, p in tagged.probabilities.items()}
    archive.write(path, dict(arrays, w=tagged.w), dict(about, heads=tagged.heads))


def load(path):
    """Read a file of `save` -> (Tagged, about). Raises UserError."""
    with archive.reading(path, 'sample of tagged styles', 'delete it and type the command again '
                         'that has written it') as arrays:
        about = archive.about(arrays)
        heads = {head: tuple(values) for head, values in about.pop('heads').items()}
        probabilities = {head: arrays['p/' + head].astype(np.float32) for head in heads}
        return Tagged(arrays['w'], heads, probabilities), about
