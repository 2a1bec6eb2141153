"""Where a rare class lies in W: found by search, then sampled at will.

All four methods are rejection sampling: draw codes from a proposal distribution, generate their
images, accept those that score above a threshold. The proposals are
    search     random codes: the acceptance rate is the frequency of the class
    mix        random weighted means of up to three of the codes found
    gaussian   a Gaussian fitted to the codes found
    shift      random codes, moved across the boundary of the class along its normal
`stylegan.whitening` has the linear algebra.
"""

import json
import time

import numpy as np

from dnnlib import archive, progress
from dnnlib.files import UserError
from stylegan import labelled
from stylegan.whitening import Space, gaussian, mixes, shift

FEWEST = 5  # codes of a class that a Gaussian or a boundary can be fitted to
_ROUNDS = 12  # of refinement at most
_BATCH = 64
_CHUNK = 1000  # images of a search that are saved at a time


def search(path, generator, tagger, config, models):
    """The random sample to search -> (LabelledSample of config.search, seconds it took).

    path: the file that caches it as it grows; one made with the same options is resumed.
    models: {name: digest} of the generator and the tagger, JSON-able.
    """
    about = json.loads(json.dumps(dict(models, psi=config.psi, seed=config.seed)))
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
        sample = sample.joined(more) if sample else more
        seconds += time.time() - began
        labelled.save(path, sample, dict(about, seconds=seconds))
        sample = labelled.load(path)[0]  # in half precision, as the next run will find it
    return sample.first(config.search), seconds * config.search / len(sample)


class Accepted:
    """The accepted images of one method, and their cost.

    w [k, w], pictures uint8 [k, h, w, 3] and scores [k] of the accepted; drawn: how many images
    were drawn for them; seconds: how long that took; raw: the first images drawn, accepted or not;
    sources: the codes [k, w] before a shift, otherwise w.
    """

    def __init__(self, w, pictures, scores, *, drawn, seconds, raw, sources):
        self.w, self.pictures, self.scores = w, pictures, scores
        self.drawn, self.seconds, self.raw, self.sources = drawn, seconds, raw, sources

    def __len__(self):
        return len(self.w)


class Region:
    """Where a class lies, estimated from random codes.

    generator: stylegan.generator.Generator. scorer: an object whose `scores` maps images uint8
    [n, h, w, 3] to float [n], such as target_class.Scorer. w: [n, w], random codes; scores: [n],
    the predicted probability of the class for each; the scorer checks those above the threshold.
    config: Rare. extra: [k, w], more codes of the class, such as projected photos, or None.
    Attributes: space; found [k, w], the codes to mix or fit a Gaussian to; hits: how many of them
    the search found; refining: images drawn by the refinement.
    """

    def __init__(self, generator, scorer, w, scores, config, extra=None):
        self._generator, self._scorer, self._config, self._w = generator, scorer, config, w
        scores = np.array(scores, np.float64)
        candidates = np.flatnonzero(scores >= config.sure)
        if len(candidates):
            scores[candidates] = self._scores(w[candidates])
        self.space, self._positive = Space(w), scores >= config.sure
        self.hits, self.refining = int(self._positive.sum()), 0
        self.found = w[self._positive]
        if extra is not None:
            self.found = np.concatenate([self.found, extra])
        if len(self.found) < config.few and {'mix', 'gaussian'} & set(config.methods()):
            best = w[np.argsort(-scores, kind='stable')[:2 * FEWEST]]
            more = self._refined(self.found if len(self.found) >= FEWEST else best)
            self.found = np.concatenate([self.found, more])

    def _draw(self, w):
        """w [n, w] -> (images uint8 [n, h, w, 3], scores float [n])."""
        pictures = self._generator.pictures(labelled.layered(w, self._generator.layers))
        return pictures, self._scorer.scores(pictures)

    def _scores(self, w):
        """The scores [n] alone, in batches."""
        return np.concatenate([self._draw(w[i:i + _BATCH])[1] for i in range(0, len(w), _BATCH)])

    def _accepted(self, w, scores, method=''):
        """bool [n]: of the class, and no farther out than random codes.

        Mixes are exempt from the distance limit: a mean of codes lies between codes that the
        mapping network produces, and yet looks unusual in P space, where the variables are skewed.
        """
        chosen = scores >= self._config.sure
        return chosen if method == 'mix' else chosen & (
            self.space.distances(w) <= self.space.limit)

    def _refined(self, codes):
        """More codes of the class, from the best ones of the search [k, w] -> w [k, w].

        The cross-entropy method (Rubinstein 1999): sample around the codes, keep what is accepted,
        refit, until config.few are kept. Raises UserError if none is.
        """
        config, kept = self._config, codes[:0]
        for turn in progress.bar(range(_ROUNDS), what='refining', unit='round', leave=False):
            sampled = gaussian(self.space, kept if len(kept) >= FEWEST else codes, config.tau)
            w = sampled(4 * _BATCH, np.random.RandomState([config.seed, 62, turn]))
            scores = self._scores(w)
            kept = np.concatenate([kept, w[self._accepted(w, scores)]])
            self.refining += len(w)
            if len(kept) >= config.few:
                break
            # Too few to fit: move towards the highest scores.
            best = np.concatenate([kept, w[np.argsort(-scores, kind='stable')[:2 * FEWEST]]])
            codes = best[:max(len(kept), 2 * FEWEST)]
        if not len(kept):
            raise UserError(f'none of {len(self._w) + self.refining} images, refined ones included,'
                            ' is of the class; search more with --search, lower --sure, name fewer '
                            'attributes, or project photos of it: python run.py project --mix 16')
        return kept

    def able(self, method):
        """Whether the search has found enough codes for a method."""
        return self.hits >= {'shift': FEWEST, 'search': 1}.get(method, 0)

    def searched(self, seconds):
        """The Accepted of the search itself; seconds: how long all of it took."""
        indices = np.flatnonzero(self._positive)[:self._config.count]
        if not len(indices):
            raise UserError(f'none of {len(self._w)} images is of the class; use --method mix, or '
                            'search more with --search')
        complete = len(indices) == self._config.count
        drawn = int(indices[-1]) + 1 if complete else len(self._w)
        pictures, scores = self._draw(self._w[indices])
        return Accepted(self._w[indices], pictures, scores, drawn=drawn, raw=None,
                        seconds=seconds * drawn / len(self._w), sources=self._w[indices])

    def _proposal(self, method):
        """The proposal distribution: a function (count, rng) -> (w, sources), both [count, w]."""
        if not self.able(method):
            raise UserError(f'the search found {self.hits} images of the class, too few for '
                            f'--method {method}; use mix, or search more with --search')
        if method == 'shift':
            shifted = shift(self.space, self._w, self._positive, self._config.margin)
        elif method == 'gaussian':
            sampled = gaussian(self.space, self.found, self._config.tau)

        def propose(count, rng):
            if method == 'shift':
                z = rng.standard_normal([count, self._generator.latent_size]).astype(np.float32)
                w = labelled.truncated(self._generator, self._generator.w(z), self._config.psi)
                return shifted(w, rng), w
            w = mixes(self.found, count, rng) if method == 'mix' else sampled(count, rng)
            return w, w
        return propose

    def sample(self, method):
        """Rejection sampling by 'mix', 'gaussian' or 'shift' -> Accepted.

        Raises UserError if nothing is accepted, or if the search has found too few codes.
        """
        config, began = self._config, time.time()
        kept, raw, drawn, have, most = [], [], 0, 0, config.most * config.count
        propose = self._proposal(method)
        with progress.bar(total=config.count, what=method, unit='image') as bar:
            while have < config.count and drawn < most:
                size = min(_BATCH, most - drawn)
                w, sources = propose(size, np.random.RandomState([config.seed, 61, drawn]))
                pictures, scores = self._draw(w)
                chosen = np.flatnonzero(self._accepted(w, scores, method))[:config.count - have]
                # In the last batch, images after the last accepted one do not count as drawn.
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


def single_w(ws, path):
    """The w [n, w] of styles ws [n, layers, w] read from `path`. Raises UserError if the layers
    differ: only a single w per image can be averaged and sampled around."""
    if np.ptp(ws, axis=1).max() > 1e-6:
        raise UserError(f'{path} holds a separate style for each layer; give a file of one w per '
                        'image, as run.py project writes it by default')
    return ws[:, 0]


def save(path, accepted):
    """Write the codes of an Accepted as `.npz`: w [k, w], as `stylegan.latent` reads it."""
    archive.write(path, {'w': accepted.w})
