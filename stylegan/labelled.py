"""A labelled sample: random w with a classifier's predictions for their images.

Directions are fitted to it and rare classes are searched in it. The classifier is an object like
`image_tagger.ImageTagger`: it has `heads`, {head: (value, ...)} with the category first, such as
{'sleeve': ('', 'long sleeves', ...)}, and `probabilities`, images -> {head: [n, values]}.
"""

import numpy as np

from dnnlib import archive, knobs, progress
from dnnlib.files import UserError

_BATCH = 64
FEWEST = 3  # images that combine two values, for the pair to be plausible
_VISIBLE = 0.5  # least median probability of the predicted value, for a head to be visible


class LabelledSample:
    """w float32 [n, w], heads, and predicted probabilities {head: float32 [n, len(values)]}.

    values: {head: int [n]}, the index of the most probable value of each head.
    """

    def __init__(self, w, heads, probabilities):
        self.w, self.heads, self.probabilities = w, heads, probabilities
        self.values = {head: p.argmax(1) for head, p in probabilities.items()}

    def __len__(self):
        return len(self.w)

    def first(self, count):
        """The sample of its first `count` codes."""
        return LabelledSample(self.w[:count], self.heads, {
            head: p[:count] for head, p in self.probabilities.items()})

    def joined(self, more):
        """This sample followed by another one with the same heads."""
        return LabelledSample(np.concatenate([self.w, more.w]), self.heads, {
            head: np.concatenate([p, more.probabilities[head]])
            for head, p in self.probabilities.items()})

    def value_index(self, head, value):
        """The index of a head's value. Raises UserError that lists the known ones."""
        return value_index(self.heads, head, value)

    def visible(self):
        """The heads that images show: the predicted value is probable in most of them.

        Others, such as the fabric in small images, are guesses, which differ between classifiers.
        """
        return [head for head, p in self.probabilities.items()
                if np.median(p.max(1)) >= _VISIBLE]

    def plausible(self, head, value):
        """bool [n]: whether each image could plausibly show this value (an index) of the head.

        It could if the sample has FEWEST or more images that combine the value with each of the
        image's other values: trousers cannot have sleeves. Any category, the first head, is
        plausible, since the other attributes would change with it.
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


def value_index(heads, head, value):
    """The index of a head's value in {head: values}. Raises UserError that lists the known ones."""
    if head not in heads:
        raise UserError(f"there is no attribute '{head}'; {knobs.did_you_mean(head, heads)}known "
                        f"are: {', '.join(heads)}")
    if value not in heads[head]:
        known = ', '.join(filter(None, heads[head]))
        raise UserError(f"{head} has no value '{value}'; {knobs.did_you_mean(value, heads[head])}"
                        f'known are: {known}')
    return heads[head].index(value)


def truncated(generator, w, psi):
    """w [n, w] truncated; in all layers alike, so that there is a single w per image.

    psi: a number, or one for each w, [n, 1].
    """
    return np.float32(generator.w_avg + (w - generator.w_avg) * np.float32(psi))


def layered(w, layers):
    """w [n, w] repeated for every layer: ws [n, layers, w]."""
    return np.repeat(w[:, np.newaxis], layers, 1)


def predict(generator, tagger, ws, what=''):
    """ws [n, layers, w] -> {head: probabilities [n, values]} of their images.

    what: label of the progress bar; '': no bar.
    """
    batches = [tagger.probabilities(generator.pictures(ws[i:i + _BATCH]))
               for i in progress.bar(range(0, len(ws), _BATCH), what=what, unit='batch',
                                     leave=False, disable=not what)]
    return {head: np.concatenate([batch[head] for batch in batches]) for head in batches[0]}


def collect(generator, tagger, *, count, psi, seed):
    """A LabelledSample of `count` images, of the seeds from `seed` on, all layers truncated."""
    w = truncated(generator, generator.w(generator.seeded(range(seed, seed + count))), psi)
    return LabelledSample(w, tagger.heads, predict(
        generator, tagger, layered(w, generator.layers), 'tagging'))


def cached(path, generator, tagger, *, count, psi, seed, models):
    """As `collect`, cached in a file: it is read if count, psi, seed and models are the same.

    models: JSON-able facts that identify the generator and the classifier.
    """
    about = dict(models, count=count, psi=psi, seed=seed)
    if path.exists():
        known, before = load(path)
        if before == about:
            return known
    sample = collect(generator, tagger, count=count, psi=psi, seed=seed)
    save(path, sample, about)
    return load(path)[0]  # in half precision, as when read from the cache


def save(path, sample, about):
    """Write a LabelledSample as `.npz`; about: JSON-able, what it was made from."""
    arrays = {'p/' + head: p.astype(np.float16) for head, p in sample.probabilities.items()}
    archive.write(path, dict(arrays, w=sample.w), dict(about, heads=sample.heads))


def load(path):
    """Read a file of `save` -> (LabelledSample, about). Raises UserError."""
    with archive.reading(path, 'labelled sample of w', 'delete it and run the command that has '
                         'written it again') as arrays:
        about = archive.about(arrays)
        heads = {head: tuple(map(str, values)) for head, values in about.pop('heads').items()}
        w = archive.finite(arrays)['w']
        if w.ndim != 2 or w.dtype.kind != 'f' or not heads:
            raise ValueError(f'its w have the shape {w.shape}')
        for head, values in heads.items():
            p = arrays['p/' + head]
            if p.shape != (len(w), len(values)) or p.dtype.kind != 'f' or not values:
                raise ValueError(f'its probabilities have the shape {p.shape}')
        probabilities = {head: arrays['p/' + head].astype(np.float32) for head in heads}
        return LabelledSample(w, heads, probabilities), about
