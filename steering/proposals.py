"""Styles that an edit could become: along lines, mixed with similar ones, and children of both.

What is proposed is not looked at here; `edit` decides what is kept.
"""

import numpy as np

from stylegan import latent, linear

BANDS = ('coarse', 'middle', 'fine', 'coarse+middle', 'middle+fine', 'all')
_SWAP, _SHAKE = 0.3, 0.3  # of a child: share of layers from a second parent, random steps


def layers_of(band, layers):
    """The layers of one of BANDS, or of what `latent.band` reads -> list."""
    return sorted({layer for part in band.split('+') for layer in latent.band(part, layers)})


class Proposals:
    """Proposes styles of one generator.

    sample: a LabelledSample; known: {name: Direction}; how: an `edit.Search`. What is asked for is
    a target, {head: index of its value}: of `head` the value to come, of all others those to stay.
    """

    def __init__(self, sample, known, how):
        self._sample, self._known, self._how = sample, known, how
        self._deviation, self._spread = sample.w.std(0), linear.covariance(sample.w)

    def first(self, ws, head, target):
        """All lines and mixes for ws [layers, w] -> (ws [n, layers, w], words on each)."""
        similar = self._similar(ws, head, target)
        found = [self._line(ws, *line) for line in self._lines(ws, head, target, similar)]
        found += [self._mix(ws, w) for w in similar]
        return (np.concatenate([ws[np.newaxis]] + [each for each, _ in found]),
                ['as it was'] + [how for _, hows in found for how in hows])

    def children(self, parents, wrong, target, random):
        """Children of parents [n, layers, w] -> (ws, index of each one's first parent).

        Layers are exchanged, and steps taken: towards values that the parent should show and does
        not (wrong: heads of each parent), and at random. Consumes `random`.
        """
        result, firsts = [], random.randint(len(parents), size=self._how.children)
        for first in firsts:
            child, second = np.array(parents[first]), parents[random.randint(len(parents))]
            swap = random.rand(len(child)) < _SWAP
            child[swap] = second[swap]
            for head in wrong[first]:
                child = self._step(child, f'{head}={self._value(head, target)}', random)
            if random.rand() < 0.5:
                shake = random.randn(child.shape[1]) * self._deviation * _SHAKE
                child[self._layers(child, random)] += np.float32(shake)
            result.append(child)
        return np.stack(result), firsts

    def _value(self, head, target):
        return self._sample.heads[head][target[head]]

    def _layers(self, ws, random):
        return layers_of(BANDS[random.randint(len(BANDS))], len(ws))

    def _step(self, ws, name, random):
        """A step along a direction in a random band, if there is such a direction and luck."""
        if name not in self._known or random.rand() < 0.3:
            return ws
        own = self._known[name]
        amount = random.rand() * 2 * own.scale
        return latent.moved(ws[np.newaxis], own.vector, [amount], self._layers(ws, random))[0]

    def _similar(self, ws, head, target):
        """Sampled w that show the asked value: those that agree in most of the rest come first."""
        shows = np.flatnonzero(self._sample.values[head] == target[head])
        agree = sum((self._sample.probabilities[name][shows, target[name]]
                     for name in self._sample.heads if name != head), np.zeros(len(shows)))
        apart = (self._sample.w[shows] - ws.mean(0)) / (self._deviation + 1e-9)
        far = np.linalg.norm(apart, axis=1)
        order = np.argsort(-agree + 0.02 * far, kind='stable')
        return self._sample.w[shows[order[:self._how.similar]]]

    def _lines(self, ws, head, target, similar):
        """(vector whose length is one unit, what it is called) of each line to go along."""
        name = f'{head}={self._value(head, target)}'
        if name in self._known:
            own = self._known[name]
            yield own.vector * own.scale, name
            kept = self._kept(head, target)
            if 0 < len(kept) < len(own.vector) // 2:
                rest = linear.step(own.normal, self._spread, kept)
                yield rest * linear.scale(self._sample.w, rest), name + ' with the rest kept'
        if len(similar):
            way = similar.mean(0) - ws.mean(0)
            yield way / self._how.strongest, 'towards others with ' + name

    def _kept(self, head, target):
        """The normals of the values that are to stay."""
        names = [f'{other}={self._value(other, target)}' for other in target if other != head]
        return [self._known[name].normal for name in names if name in self._known]

    def _line(self, ws, vector, name):
        """Candidates along a line, in each band: (ws, hows)."""
        count = self._how.strengths
        strengths = self._how.strongest * np.arange(1, count + 1) / count
        found, hows = [], []
        for band in BANDS:
            same = np.repeat(ws[np.newaxis], len(strengths), 0)
            found.append(latent.moved(same, vector, strengths, layers_of(band, len(ws))))
            hows += [f'{name}, {strength:.1f} in {band}' for strength in strengths]
        return np.concatenate(found), hows

    def _mix(self, ws, w):
        """A sampled w laid over ws in each band, half or whole: (ws, hows)."""
        found, hows = [], []
        for band in BANDS:
            for share in (0.5, 1.0):
                layers = layers_of(band, len(ws))
                mixed = np.array(ws)
                mixed[layers] += np.float32(share) * (w - mixed[layers])
                found.append(mixed)
                hows.append('%d %% of another in %s' % (100 * share, band))
        return np.stack(found), hows
