"""Where a rare class lies in W: found by search, then sampled at will.

Four ways to images of the class, all by rejection sampling: propose codes, draw their images,
accept those that score high enough.
    search     random codes: the share of the class among all images is the acceptance rate
    mix        averages of two or three of the codes that were found, by random shares
    gaussian   a Gaussian around the codes that were found
    shift      random codes, moved over the boundary of the class the shortest way
The linear algebra behind them is in `stylegan.whitening`.
"""

import json
import time

import numpy as np

from dnnlib import archive, progress
from dnnlib.files import UserError
from stylegan import labelled
from stylegan.whitening import Space, gaussian, mixes, shift

FEWEST = 5  # codes of a class that a Gaussian or a boundary can be fitted to
_ROUNDS = 12  # of refining at most
_BATCH = 64
_CHUNK = 1000  # images of a search that are saved at a time


def search(path, generator, tagger, config, made):
    """The sample to search through -> (LabelledSample of config.search, seconds it took).

    path: the file that it is saved in as it grows; one made with the same options is resumed.
    made: {name: fingerprint} of the generator and the tagger, JSON-able.
    """
    about = json.loads(json.dumps(dict(made, psi=config.psi, seed=config.seed)))
    sample, seconds = None, 0.0
    if path.exists():
        sample, known = labelled.load(path)
        seconds = known.pop('seconds')
        if known != about:
            sample, seconds = None, 0.0
    while sample is None or len(sample) < config.search:
        have, began = len(sample) if sample else 0, time.time()
        more = labelled.collect(generator, tagger, psi=config.psi, seed=config.seed + have,
                                count=min(_CHUNK, config.search - have))
        sample = more if sample is None else labelled.LabelledSample(
            np.concatenate([sample.w, more.w]), more.heads,
            {head: np.concatenate([p, more.probabilities[head]])
             for head, p in sample.probabilities.items()})
        seconds += time.time() - began
        labelled.save(path, sample, dict(about, seconds=seconds))
        sample = labelled.load(path)[0]  # in half precision, as the next run will find it
    first = labelled.LabelledSample(
        sample.w[:config.search], sample.heads,
        {head: p[:config.search] for head, p in sample.probabilities.items()})
    return first, seconds * config.search / len(sample)


class Accepted:
    """Images of the class by one method, and what they cost.

    w [k, w], pictures uint8 [k, h, w, 3] and scores [k] of the accepted; drawn: how many images
    were drawn for them; seconds that took; raw: the first images that were drawn, accepted or
    not; sources: the codes [k, w] that the accepted were made from.
    """

    def __init__(self, w, pictures, scores, *, drawn, seconds, raw, sources):
        self.w, self.pictures, self.scores = w, pictures, scores
        self.drawn, self.seconds, self.raw, self.sources = drawn, seconds, raw, sources

    def __len__(self):
        return len(self.w)


class _Mix:
    """Averages of the codes that were found."""

    def __init__(self, found):
        self._found = found

    def sample(self, count, rng):
        """(w [count, w], the codes that they were made from, here the same)."""
        w = mixes(self._found, count, rng)
        return w, w


class _Gaussian:
    """The Gaussian around the codes that were found."""

    def __init__(self, space, found, tau):
        self._gaussian = gaussian(space, found, tau)

    def sample(self, count, rng):
        """As `_Mix.sample`."""
        w = self._gaussian(count, rng)
        return w, w


class _Shift:
    """Random codes, moved over the boundary of the class."""

    def __init__(self, generator, space, w, positive, config):
        self._generator, self._psi = generator, config.psi
        self._shift = shift(space, w, positive, config.margin)

    def sample(self, count, rng):
        """(w [count, w], the codes [count, w] before they were moved)."""
        z = rng.standard_normal([count, self._generator.latent_size]).astype(np.float32)
        w = labelled.truncated(self._generator, self._generator.w(z), self._psi)
        return self._shift(w, rng), w


class Region:
    """Where a class lies, from a sample of codes.

    generator: stylegan.generator.Generator. scorer: an object whose `scores` takes pictures uint8
    [n, h, w, 3] to float [n], such as target.Scorer. w: [n, w], random codes; scores: [n], how
    probably each is of the class at first sight: the scorer sees the probable ones once more.
    config: Rare. extra: [k, w], more codes of the class, such as projected photos, or None.
    Attributes: space; found [k, w], what is mixed and sampled around; hits: how many of them the
    search itself has found; refining: images drawn to have enough.
    """

    def __init__(self, generator, scorer, w, scores, config, extra=None):
        self._generator, self._scorer, self._config, self._w = generator, scorer, config, w
        scores = np.array(scores, np.float64)
        hopeful = np.flatnonzero(scores >= config.sure)
        if len(hopeful):
            scores[hopeful] = self._scores(w[hopeful])
        self.space, self._positive = Space(w), scores >= config.sure
        self.hits, self.refining = int(self._positive.sum()), 0
        self.found = w[self._positive]
        if extra is not None:
            self.found = np.concatenate([self.found, extra])
        if len(self.found) < config.few and {'mix', 'gaussian'} & set(config.methods()):
            likeliest = w[np.argsort(-scores, kind='stable')[:2 * FEWEST]]
            more = self._refined(self.found if len(self.found) >= FEWEST else likeliest)
            self.found = np.concatenate([self.found, more])

    def _draw(self, w):
        """w [n, w] -> (pictures uint8 [n, h, w, 3], scores float [n])."""
        pictures = self._generator.pictures(labelled.layered(w, self._generator.layers))
        return pictures, self._scorer.scores(pictures)

    def _scores(self, w):
        """The scores [n] alone, by batches."""
        return np.concatenate([self._draw(w[i:i + _BATCH])[1] for i in range(0, len(w), _BATCH)])

    def _accepted(self, w, scores, method=''):
        """bool [n]: of the class, and no farther out than random codes.

        Mixes are not held to the space's limit: an average of codes lies between codes that the
        generator knows, and yet looks unusual behind the leaky ReLU, where values are skewed.
        """
        chosen = scores >= self._config.sure
        return chosen if method == 'mix' else chosen & (
            self.space.distances(w) <= self.space.limit)

    def _refined(self, found):
        """Codes of a class of which too few were found: w [k, w].

        found: [k, w], the best that the search has. Samples around them, keeps what is of the
        class, and samples around that, until config.few are kept: the cross-entropy method
        (Rubinstein 1999).
        """
        config, kept = self._config, found[:0]
        for turn in progress.bar(range(_ROUNDS), what='refining', unit='round', leave=False):
            around = _Gaussian(self.space, kept if len(kept) >= FEWEST else found, config.tau)
            w, _ = around.sample(4 * _BATCH, np.random.RandomState([config.seed, 62, turn]))
            scores = self._scores(w)
            kept = np.concatenate([kept, w[self._accepted(w, scores)]])
            self.refining += len(w)
            if len(kept) >= config.few:
                break
            # Too few yet: move to where the score rises.
            best = np.concatenate([kept, w[np.argsort(-scores, kind='stable')[:2 * FEWEST]]])
            found = best[:max(len(kept), 2 * FEWEST)]
        if not len(kept):
            raise UserError(f'nothing like that was found in {len(self._w) + self.refining} '
                            'images, nor near the likeliest ones; name fewer attributes, or '
                            'search more with --search')
        return kept

    def able(self, method):
        """Whether the search has found enough for a method."""
        return self.hits >= {'shift': FEWEST, 'search': 1}.get(method, 0)

    def searched(self, seconds):
        """The Accepted that the search itself has found; seconds: how long all of it took."""
        places = np.flatnonzero(self._positive)[:self._config.count]
        if not len(places):
            raise UserError(f'nothing like that was found in {len(self._w)} images; use --method '
                            'mix, or search more with --search')
        complete = len(places) == self._config.count
        drawn = int(places[-1]) + 1 if complete else len(self._w)
        pictures, scores = self._draw(self._w[places])
        return Accepted(self._w[places], pictures, scores, drawn=drawn, raw=None,
                        seconds=seconds * drawn / len(self._w), sources=self._w[places])

    def _proposal(self, method):
        """The distribution that a method draws its proposals from."""
        if method == 'mix':
            return _Mix(self.found)
        if method == 'gaussian':
            return _Gaussian(self.space, self.found, self._config.tau)
        if not self.able(method):
            raise UserError(f'the search found {self.hits} such images, too few for --method '
                            f'{method}; use mix, or search more with --search')
        return _Shift(self._generator, self.space, self._w, self._positive, self._config)

    def sample(self, method):
        """Rejection sampling by 'mix', 'gaussian' or 'shift' -> Accepted.

        Raises UserError if nothing is accepted, or if the search has found too little to begin.
        """
        config, began = self._config, time.time()
        kept, raw, drawn, have, most = [], [], 0, 0, config.most * config.count
        proposal = self._proposal(method)
        with progress.bar(total=config.count, what=method, unit='image') as bar:
            while have < config.count and drawn < most:
                size = min(_BATCH, most - drawn)
                w, sources = proposal.sample(size, np.random.RandomState([config.seed, 61, drawn]))
                pictures, scores = self._draw(w)
                chosen = np.flatnonzero(self._accepted(w, scores, method))[:config.count - have]
                # Beyond the last one that is needed nothing counts as drawn.
                drawn += size if have + len(chosen) < config.count else int(chosen[-1]) + 1
                have += len(chosen)
                kept.append((w[chosen], pictures[chosen], scores[chosen], sources[chosen]))
                raw.append(pictures[:max(0, config.count - sum(map(len, raw)))])
                bar.update(len(chosen))
        if not have:
            raise UserError(f'none of {drawn} images by --method {method} was accepted; lower '
                            '--sure, or search more with --search')
        w, pictures, scores, sources = [np.concatenate(parts) for parts in zip(*kept)]
        return Accepted(w, pictures, scores, drawn=drawn, seconds=time.time() - began,
                        raw=np.concatenate(raw), sources=sources)


def single(ws, path):
    """The w [n, w] of styles ws [n, layers, w] read from `path`, if all layers share it; UserError
    otherwise: what has a style of its own per layer cannot be averaged and sampled around."""
    if np.ptp(ws, axis=1).max() > 1e-6:
        raise UserError(f'{path} holds another style for each layer; a file of one w per image '
                        'is needed, as run.py project writes it by default')
    return ws[:, 0]


def save(path, accepted):
    """Write the codes of an Accepted as `.npz`: w [k, w], as `stylegan.latent` reads it."""
    archive.write(path, {'w': accepted.w})
