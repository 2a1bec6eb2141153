"""A rare class in the latent space: found by search, then drawn at will.

Four ways to the pictures of a class:
    search     draw, look, keep: the share that the class has among all pictures is the yield
    mix        average two or three of the found codes, by random shares
    gaussian   draw from a Gaussian around the found codes
    shift      move ordinary codes to the class's side, the shortest way; all else stays
The linear algebra behind them is in `space`.
"""

import dataclasses
import time

import numpy as np

from dnnlib import archive, progress
from dnnlib.files import UserError
from dnnlib.knobs import knob
from stylegan.whitening import Space, gaussian, mixes, shift

METHODS = ('mix', 'gaussian', 'shift', 'search')
FEWEST = 5  # codes of a class that a Gaussian or a boundary can be fitted to
_ROUNDS = 12  # of refining at most
_BATCH = 64


@dataclasses.dataclass(frozen=True)
class Rare:
    """How the class is looked for and drawn."""
    method: str = knob('mix', 'mix, gaussian, shift, search, or all of them for a comparison')
    count: int = knob(200, 'products to make, with each method')
    search: int = knob(8000, 'pictures to search through first')
    sure: float = knob(0.8, 'a picture is of the class from this probability on')
    few: int = knob(60, 'if fewer are found, mix and gaussian first draw around them for so many')
    tau: float = knob(1.0, 'spread of the Gaussian; below 1: more typical, above: more varied')
    margin: float = knob(1.0, 'how far shifted codes go past the boundary; 1: as far as found ones')
    most: int = knob(50, 'pictures to look at for each one wanted, before giving up')
    psi: float = knob(0.7, 'truncation, in all layers; 1: none')
    seed: int = knob(0, 'the first seed')
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable')

    def __post_init__(self):
        if self.method not in METHODS + ('all',):
            raise UserError(f"method is '{self.method}'; it must be {', '.join(METHODS)} or all")
        if min(self.count, self.few) < 1 or self.search < 20 or not 0 < self.sure < 1:
            raise UserError('--count and --few are at least 1, --search 20, and --sure lies '
                            'between 0 and 1')

    def methods(self):
        """The methods to use, in order."""
        return METHODS if self.method == 'all' else (self.method,)


class Harvest:
    """What a method brought in.

    w [k, w], pictures uint8 [k, h, w, 3] and scores [k] of the accepted; drawn: how many pictures
    were generated and looked at for them; seconds that took; raw: the first pictures that were
    drawn, accepted or not; sources: the codes [k, w] that the accepted were made from.
    """

    def __init__(self, w, pictures, scores, *, drawn, seconds, raw, sources=None):
        self.w, self.pictures, self.scores = w, pictures, scores
        self.drawn, self.seconds, self.raw, self.sources = drawn, seconds, raw, sources

    def __len__(self):
        return len(self.w)


def harvest(propose, look, count, *, accept, seed, most, what=''):
    """Propose codes and keep the accepted until there are `count` -> Harvest.

    propose: function (count, rng) -> (w [count, w], sources [count, w]).
    look:    function w -> (pictures uint8 [n, h, w, 3], scores float [n]).
    accept:  function (w, scores) -> bool [n].
    most:    pictures to look at before giving up.
    """
    began, kept, raw, drawn, have = time.time(), [], [], 0, 0
    with progress.bar(total=count, what=what, unit='picture', disable=not what) as bar:
        while have < count and drawn < most:
            size = min(_BATCH, most - drawn)
            w, sources = propose(size, np.random.RandomState([seed, 61, drawn]))
            pictures, scores = look(w)
            chosen = np.flatnonzero(accept(w, scores))[:count - have]
            # Beyond the last one that is needed nothing counts as drawn.
            drawn += size if have + len(chosen) < count else int(chosen[-1]) + 1
            have += len(chosen)
            kept.append((w[chosen], pictures[chosen], scores[chosen], sources[chosen]))
            raw.append(pictures[:max(0, count - sum(map(len, raw)))])
            bar.update(len(chosen))
    w, pictures, scores, sources = [np.concatenate(parts) for parts in zip(*kept)]
    return Harvest(w, pictures, scores, drawn=drawn, seconds=time.time() - began,
                   raw=np.concatenate(raw), sources=sources)


def acceptable(space, sure):
    """The function (w, scores) -> bool [n]: the class, and no farther out than ordinary codes."""
    return lambda w, scores: (scores >= sure) & (space.distances(w) <= space.limit)


def refined(space, found, look, how):
    """Codes of a class of which too few were found -> (w [k, w], pictures that were looked at).

    found: [k, w], the best that the search has. Draws around them, keeps what is of the class, and
    draws around that, until how.few are kept: the cross-entropy method (Rubinstein 1999).
    """
    kept, drawn, accept = found[:0], 0, acceptable(space, how.sure)
    for turn in progress.bar(range(_ROUNDS), what='refining', unit='round', leave=False):
        draw = gaussian(space, kept if len(kept) >= FEWEST else found, how.tau)
        w = draw(4 * _BATCH, np.random.RandomState([how.seed, 62, turn]))
        scores = _scores(look, w)
        kept, drawn = np.concatenate([kept, w[accept(w, scores)]]), drawn + len(w)
        if len(kept) >= how.few:
            break
        # Not there yet: go where the score rises.
        best = np.concatenate([kept, w[np.argsort(-scores, kind='stable')[:2 * FEWEST]]])
        found = best[:max(len(kept), 2 * FEWEST)]
    if not len(kept):
        raise UserError('nothing like that was found in %d pictures, nor near the likeliest ones; '
                        'ask for less at once, or for more with --search' % (how.search + drawn))
    return kept, drawn


def _scores(look, w):
    """The scores [n] alone, by batches."""
    return np.concatenate([look(w[i:i + _BATCH])[1] for i in range(0, len(w), _BATCH)])


class Region:
    """Where a class lies, by a search.

    w: [n, w], the codes searched through; scores: [n], how surely each picture is of the class at
    first sight; look: as for `harvest`, looks at those once more, closely; extra: [k, w], more
    codes of the class, such as projected photos.
    Attributes: space; found [k, w], what is mixed and drawn around; hits: how many of them the
    search itself has found; refining: pictures looked at to have enough.
    """

    def __init__(self, w, scores, look, how, extra=None):
        self._w, self._look, self._how = w, look, how
        scores = np.array(scores, np.float64)
        hopeful = np.flatnonzero(scores >= how.sure)
        if len(hopeful):
            scores[hopeful] = _scores(look, w[hopeful])
        self.space, self._positive = Space(w), scores >= how.sure
        self.hits, self.refining = int(self._positive.sum()), 0
        self.found = w[self._positive]
        if extra is not None:
            self.found = np.concatenate([self.found, extra])
        if len(self.found) < how.few and {'mix', 'gaussian'} & set(how.methods()):
            likeliest = w[np.argsort(-scores, kind='stable')[:2 * FEWEST]]
            enough = len(self.found) >= FEWEST
            more, self.refining = refined(
                self.space, self.found if enough else likeliest, look, how)
            self.found = np.concatenate([self.found, more])

    def mix(self):
        """A Harvest of averages of the codes of the class.

        They are not held to the space's limit: an average of codes lies between codes that the
        generator knows, and yet looks unusual behind the leaky ReLU, where values are skewed.
        """
        return self._harvest(lambda count, rng: [mixes(self.found, count, rng)] * 2, 'mix',
                             lambda w, scores: scores >= self._how.sure)

    def gaussian(self):
        """A Harvest drawn from the Gaussian around the codes of the class."""
        draw = gaussian(self.space, self.found, self._how.tau)
        return self._harvest(lambda count, rng: [draw(count, rng)] * 2, 'gaussian')

    def shift(self, ordinary):
        """A Harvest of ordinary codes, moved; ordinary: function (count, rng) -> w [count, w]."""
        if self.hits < FEWEST:
            raise UserError('the search found %d such pictures, too few for --method shift; use '
                            'mix, or search more with --search' % self.hits)
        moved = shift(self.space, self._w, self._positive, self._how.margin)

        def propose(count, rng):
            sources = ordinary(count, rng)
            return moved(sources, rng), sources
        return self._harvest(propose, 'shift')

    def search(self, seconds):
        """A Harvest of what the search has found; seconds: how long all of it took."""
        places = np.flatnonzero(self._positive)[:self._how.count]
        if not len(places):
            raise UserError('nothing like that was found in %d pictures; use --method mix, or '
                            'search more with --search' % len(self._w))
        complete = len(places) == self._how.count
        drawn = int(places[-1]) + 1 if complete else len(self._w)
        pictures, scores = self._look(self._w[places])
        return Harvest(self._w[places], pictures, scores, drawn=drawn, raw=None,
                       seconds=seconds * drawn / len(self._w), sources=self._w[places])

    def harvests(self, seconds, ordinary):
        """{method: Harvest} of the methods asked for, and of the search where it has any.

        seconds, ordinary: see `search` and `shift`. Of all methods, those that need more found
        pictures than there are stay out; asked for by name, they raise UserError.
        """
        makers = {'mix': self.mix, 'gaussian': self.gaussian, 'shift': lambda: self.shift(ordinary),
                  'search': lambda: self.search(seconds)}
        able = {'shift': self.hits >= FEWEST, 'search': self.hits > 0}
        wanted = [method for method in self._how.methods()
                  if able.get(method, True) or self._how.method != 'all']
        return {method: make() for method, make in makers.items()
                if method in wanted or (method == 'search' and self.hits)}

    def _harvest(self, propose, what, accept=None):
        found = harvest(propose, self._look, self._how.count, what=what, seed=self._how.seed,
                        most=self._how.most * self._how.count,
                        accept=accept or acceptable(self.space, self._how.sure))
        if not len(found):
            raise UserError('none of %d pictures by --method %s was accepted; lower --sure, or '
                            'search more with --search' % (found.drawn, what))
        return found


def synthesiser(w, draw, most=6):
    """The function that `evaluate` asks for pictures of a class.

    w: function -> [n, w], the codes behind its pool. draw: function w -> uint8 [n, h, w, 3].
    It takes (scores [n] of the pool, look: pictures -> scores, number, seed) and gives two arrays
    of pictures: mixes as they come, and those of them that are accepted. Where the
    class cannot be found at all, both are empty.
    """
    def synthesise(scores, look, number, seed):
        def both(codes):
            pictures = draw(codes)
            return pictures, look(pictures)
        try:
            found = Region(w(), scores, both, Rare(
                count=number, seed=seed, most=most, sure=0.5)).mix()
        except UserError:
            return [draw(w()[:1])[:0]] * 2
        return found.raw, found.pictures
    return synthesise


def single(ws, path):
    """The w [n, w] of styles ws [n, layers, w] read from `path`, if all layers share it; UserError
    otherwise: what has a style of its own per layer cannot be averaged and drawn around."""
    if np.ptp(ws, axis=1).max() > 1e-6:
        raise UserError('%s holds another style for each layer; a file of one w per picture is '
                        'needed, as run.py project writes it by default' % path)
    return ws[:, 0]


def save(path, harvest):
    """Write the codes of a Harvest as `.npz`: w [k, w], in the form that `codes.read` takes."""
    archive.write(path, {'w': harvest.w})


def mean_distance(features, most=1000):
    """Diversity: the mean Euclidean distance of two different rows of features [n, d].

    Of more than `most` rows, evenly spaced ones are taken. 0.0 of a single row.
    """
    x = np.asarray(features, np.float64)[::-(-len(features) // most)]
    if len(x) < 2:
        return 0.0
    squares = np.square(x).sum(1)
    squared = squares[:, np.newaxis] + squares - 2 * x @ x.T
    np.fill_diagonal(squared, 0)
    return float(np.sqrt(np.maximum(squared, 0)).sum() / (len(x) * (len(x) - 1)))
