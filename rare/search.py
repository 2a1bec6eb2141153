"""Generated pictures to search through: drawn once, looked at once, and kept."""

import json
import time

import numpy as np

from dnnlib import progress
from stylegan import labelled

_BATCH = 64
_CHUNK = 1000  # pictures that are kept at a time


def pool(generator, count, psi, seed, shrink):
    """Generated pictures to look for a class in -> {'w': [count, w], 'pictures': uint8}.

    They are those of the seeds from `seed` on; shrink: function pictures -> smaller pictures.
    """
    w = labelled.truncated(generator, generator.w(generator.seeded(range(seed, seed + count))), psi)
    pictures = [shrink(generator.pictures(labelled.layered(w[i:i + _BATCH], generator.layers)))
                for i in progress.bar(range(0, count, _BATCH), what='drawing', unit='batch')]
    return {'w': w, 'pictures': np.concatenate(pictures)}


def searched(path, about, count, collect):
    """The sample to search through -> (LabelledSample of `count`, seconds it took).

    path:    file it is kept in as it grows; one that is `about` the same goes on.
    about:   JSON-able, all that decides it but the count.
    collect: function (first, number) -> LabelledSample of that many pictures.
    """
    sample, seconds = None, 0.0
    if path.exists():
        sample, known = labelled.load(path)
        seconds = known.pop('seconds')
        if known != json.loads(json.dumps(about)):
            sample, seconds = None, 0.0
    while sample is None or len(sample) < count:
        have, began = len(sample) if sample else 0, time.time()
        more = collect(have, min(_CHUNK, count - have))
        sample = more if sample is None else labelled.LabelledSample(
            np.concatenate([sample.w, more.w]), more.heads,
            {head: np.concatenate([p, more.probabilities[head]])
             for head, p in sample.probabilities.items()})
        seconds += time.time() - began
        labelled.save(path, sample, dict(about, seconds=seconds))
        sample = labelled.load(path)[0]  # rounded as it is kept, so that a rerun finds the same
    share = count / len(sample)
    return labelled.LabelledSample(sample.w[:count], sample.heads,
                         {head: p[:count] for head, p in sample.probabilities.items()}), (
                             seconds * share)
