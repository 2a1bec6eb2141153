"""Editing: the smallest change of a style after which its image shows a wanted value and nothing
else has changed.

A tagger (see `steering`) says what an image shows. Candidates of three kinds are tried, in turn:

1. Lines. The direction of the wanted value, as it is and made orthogonal to the directions of the
   values to keep, and the line to the mean of similar sampled w that show the wanted value; each in
   every band of layers, from weak to strong.
2. Mixes. The same sampled w one by one, mixed into the style in a band of layers, half or whole.
3. Evolution. The best so far have offspring: layers are exchanged, and steps are taken along the
   direction of a value that was lost or is not yet reached, or at random.

Of all images that surely show the wanted value, mirrored too, those win that kept most of the
other values, and of these the one nearest to the original image.
"""

import dataclasses

import numpy as np

from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from steering.directions import named
from stylegan import labelled, latent, linear

BANDS = ('coarse', 'middle', 'fine', 'coarse+middle', 'middle+fine', 'all')
_PARENTS, _EVOLVED = 8, ', evolved'
_WANTED_MARGIN = np.log(3)  # by how much a wanted value must be likelier than the next one, ...
_KEPT_MARGIN = np.log(1.5)  # ... and a value to keep
_WANTED_COST, _GREY_COST = 5.0, 0.02  # of the wanted head and of a grey level, a kept head being 1
_SWAP, _SHAKE = 0.3, 0.3  # of offspring: share of layers from a second parent, random steps


@dataclasses.dataclass(frozen=True)
class Search:
    """How hard to try."""
    psi: float = knob(0.7, 'truncation of seeds; 1: none, 0: the average product')
    strengths: int = knob(5, 'strengths along each line', least=1)
    strongest: float = knob(4.0, 'the last of them', 'standard deviations', above=0)
    similar: int = knob(8, 'sampled w that show the wanted value to use', least=1)
    generations: int = knob(8, 'generations of the evolution; 0: only lines and mixes', least=0)
    children: int = knob(32, 'images per generation', least=1)
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, eq=False)
class Edit:
    """The result of an edit.

    ws, before: float32 [layers, w]. method: what found it, in words.
    shown, shown_before: {head: value}.
    """
    ws: np.ndarray
    before: np.ndarray
    method: str
    shown: dict
    shown_before: dict


def parse_values(texts):
    """['sleeve=long sleeves', ...] -> {head: value}. Raises UserError."""
    found = {}
    for text in texts:
        head, equals, value = text.partition('=')
        if not equals:
            raise UserError(f"--set '{text}' is not of the form sleeve=long sleeves")
        found[head.strip()] = value.strip()
    return found


def parse_moves(texts, known, layers=''):
    """['pca3=+2', ...] -> list of (Direction, strength, band) of known {name: Direction}.

    layers: band to use instead of each direction's own. Raises UserError.
    """
    found = []
    for text in texts:
        name, equals, strength = text.rpartition('=')
        try:
            amount = float(strength)
        except ValueError:
            amount = np.nan
        if not equals or not np.isfinite(amount):
            raise UserError(f"--direction '{text}' is not of the form pca3=+2")
        direction = named(known, name.strip())
        found.append((direction, amount, layers or direction.band))
    return found


def layers_of(band, layers):
    """The layers of one of BANDS, or of what `latent.band` reads -> list."""
    return sorted({layer for part in band.split('+') for layer in latent.band(part, layers)})


def interpolated(edit, shares=(0, 0.25, 0.5, 0.75, 1, 1.25)):
    """Styles from before an edit to it, and a little beyond: ws [len(shares), layers, w]."""
    return np.stack([edit.before + np.float32(share) * (edit.ws - edit.before) for share in shares])


def report(edit, wanted):
    """What an edit changed, in lines. wanted: {head: value}."""
    lines = ['found by: ' + edit.method]
    for head, value in edit.shown.items():
        before = edit.shown_before[head]
        if value != before or head in wanted:
            note = 'as wanted' if wanted.get(head) == value else (
                f'wanted: {wanted[head]}' if head in wanted else 'not wanted')
            lines.append(f"{head}: {before or repr('')} -> {value or repr('')} ({note})")
    same = [head for head, value in edit.shown.items()
            if value == edit.shown_before[head] and head not in wanted]
    return '\n'.join(lines + ['unchanged: ' + ', '.join(same)])


class _Candidates:
    """Styles, the methods that made them, their costs, and which heads are wrong [n, heads]."""

    def __init__(self, ws, methods, costs, wrong):
        self.ws, self.methods, self.costs, self.wrong = ws, methods, costs, wrong

    def best(self, count):
        """The cheapest, cheapest first."""
        order = np.argsort(self.costs, kind='stable')[:count]
        return _Candidates(self.ws[order], [self.methods[i] for i in order], self.costs[order],
                           self.wrong[order])

    def joined(self, other):
        """These and others as one."""
        return _Candidates(np.concatenate([self.ws, other.ws]), self.methods + other.methods,
                           np.concatenate([self.costs, other.costs]),
                           np.concatenate([self.wrong, other.wrong]))


class Editor:
    """Edits styles of one generator.

    generator: stylegan.generator.Generator. tagger: see `steering`. known: {name: Direction}.
    sample: a LabelledSample of the same generator and tagger.
    """

    def __init__(self, generator, tagger, sample, known, config=Search()):
        self.generator, self.tagger, self.sample = generator, tagger, sample
        self.known, self.config = known, config
        self._deviation, self._covariance = sample.w.std(0), linear.covariance(sample.w)

    def edit(self, ws, wanted, moves=(), seed=0):
        """Move ws [layers, w] along directions, then search for the wanted {head: value} -> Edit.

        One value after the other is searched for; earlier ones are kept with the rest. moves: see
        `along`. Raises UserError for unknown values.
        """
        places = {head: labelled.place(self.tagger.heads, head, value)
                  for head, value in wanted.items()}
        shown_before = self.shows(ws)
        before, ws = ws, self.along(ws, moves)
        methods = [f'{direction.name} {strength:+g} in {band}'
                   for direction, strength, band in moves]
        target = self._places(ws)
        for count, (head, place) in enumerate(places.items(), 1):
            if place != target[head]:
                target[head] = place
                best = self._search(ws, head, list(places)[:count], target, seed)
                ws, methods = best.ws[0], methods + best.methods
        return Edit(ws, before, '; '.join(methods) or 'it was so already', self.shows(ws),
                    shown_before)

    def shows(self, ws):
        """What the image of ws [layers, w] shows: {head: value}."""
        found = self.tagger.probabilities(self.generator.pictures(ws[np.newaxis]))
        return {head: self.tagger.heads[head][int(p[0].argmax())] for head, p in found.items()}

    def _places(self, ws):
        return {head: self.tagger.heads[head].index(value)
                for head, value in self.shows(ws).items()}

    def along(self, ws, moves):
        """ws [layers, w] moved without a search. moves: (Direction, strength in units, band)."""
        for direction, strength, band in moves:
            ws = latent.moved(ws[np.newaxis], direction.vector, [strength * direction.scale],
                              layers_of(band, len(ws)))[0]
        return ws

    def _search(self, ws, head, wanted, target, seed):
        """The best style that was found: _Candidates, of one.

        target: {head: index of its value}, of `head` the value to reach, of all others those to
        keep; wanted: the heads whose values were wanted so far.
        """
        original = self.generator.pictures(ws[np.newaxis]).astype(np.float32)
        tried, methods = self._first_candidates(ws, head, target)
        found = self._judged(tried, methods, wanted, target, original)
        rng = np.random.RandomState([seed, 61])
        for _ in range(self.config.generations):
            parents = found.best(_PARENTS)
            if not parents.wrong[0].any():
                break
            children, firsts = self._offspring(parents, target, rng)
            methods = [parents.methods[first].split(_EVOLVED)[0] + _EVOLVED for first in firsts]
            found = parents.joined(self._judged(children, methods, wanted, target, original))
        return found.best(1)

    def _judged(self, ws, methods, wanted, target, original):
        """_Candidates with their costs. original: the image before, float.

        Wanted heads are checked on the mirrored image too: what only one of the two shows may be
        a fluke.
        """
        pictures = self.generator.pictures(ws)
        cost, wrong = _GREY_COST * np.abs(pictures - original).mean((1, 2, 3)), []
        both = self.tagger.probabilities(np.concatenate([pictures, pictures[:, :, ::-1]]))
        for name in self.tagger.heads:
            logs = np.log(both[name] + 1e-6).reshape(2, len(ws), -1)
            logs = logs if name in wanted else logs[:1]
            others = np.delete(logs, target[name], 2).max(2, initial=-20)
            short = others - logs[:, :, target[name]]
            margin = _WANTED_MARGIN if name in wanted else _KEPT_MARGIN
            lost = np.clip(short + margin, 0, 3) + (short > 0)
            wrong.append((short > (-margin if name in wanted else 0)).any(0))
            cost = cost + (_WANTED_COST if name in wanted else 1) * lost.mean(0)
        return _Candidates(ws, methods, cost, np.stack(wrong, 1))

    # Candidates.

    def _first_candidates(self, ws, head, target):
        """All lines and mixes for ws [layers, w] -> (ws [n, layers, w], methods)."""
        similar = self._similar(ws, head, target)
        found = [self._line(ws, *line) for line in self._lines(ws, head, target, similar)]
        found += [self._mix(ws, w) for w in similar]
        return (np.concatenate([ws[np.newaxis]] + [each for each, _ in found]),
                ['as it was'] + [method for _, methods in found for method in methods])

    def _offspring(self, parents, target, rng):
        """Children of _Candidates -> (ws [n, layers, w], index of each one's first parent)."""
        result, firsts = [], rng.randint(len(parents.ws), size=self.config.children)
        for first in firsts:
            child = np.array(parents.ws[first])
            second = parents.ws[rng.randint(len(parents.ws))]
            swap = rng.rand(len(child)) < _SWAP
            child[swap] = second[swap]
            for head, wrong in zip(self.tagger.heads, parents.wrong[first]):
                if wrong:
                    child = self._step(child, f'{head}={self._value(head, target)}', rng)
            if rng.rand() < 0.5:
                shake = rng.randn(child.shape[1]) * self._deviation * _SHAKE
                child[self._random_layers(child, rng)] += np.float32(shake)
            result.append(child)
        return np.stack(result), firsts

    def _value(self, head, target):
        return self.sample.heads[head][target[head]]

    def _random_layers(self, ws, rng):
        return layers_of(BANDS[rng.randint(len(BANDS))], len(ws))

    def _step(self, ws, name, rng):
        """With probability 0.7, a random step along the direction of this name, if there is one."""
        if name not in self.known or rng.rand() < 0.3:
            return ws
        own = self.known[name]
        amount = rng.rand() * 2 * own.scale
        return latent.moved(ws[np.newaxis], own.vector, [amount], self._random_layers(ws, rng))[0]

    def _similar(self, ws, head, target):
        """Sampled w that show the wanted value, those that keep most of the rest first."""
        shows = np.flatnonzero(self.sample.values[head] == target[head])
        kept = sum((self.sample.probabilities[name][shows, target[name]]
                    for name in self.sample.heads if name != head), np.zeros(len(shows)))
        standardised = (self.sample.w[shows] - ws.mean(0)) / (self._deviation + 1e-9)
        distance = np.linalg.norm(standardised, axis=1)
        order = np.argsort(-kept + 0.02 * distance, kind='stable')
        return self.sample.w[shows[order[:self.config.similar]]]

    def _lines(self, ws, head, target, similar):
        """(vector whose length is one unit, its name) of each line to move along."""
        name = f'{head}={self._value(head, target)}'
        if name in self.known:
            own = self.known[name]
            yield own.vector * own.scale, name
            kept = self._kept_normals(head, target)
            if 0 < len(kept) < len(own.vector) // 2:
                rest = linear.step(own.normal, self._covariance, kept)
                yield rest * linear.scale(self.sample.w, rest), name + ' with the rest kept'
        if len(similar):
            difference = similar.mean(0) - ws.mean(0)
            yield difference / self.config.strongest, 'towards others with ' + name

    def _kept_normals(self, head, target):
        """The normals of the values to keep."""
        names = [f'{other}={self._value(other, target)}' for other in target if other != head]
        return [self.known[name].normal for name in names if name in self.known]

    def _line(self, ws, vector, name):
        """Candidates along a line, in each band: (ws, methods)."""
        count = self.config.strengths
        strengths = self.config.strongest * np.arange(1, count + 1) / count
        found, methods = [], []
        for band in BANDS:
            same = np.repeat(ws[np.newaxis], len(strengths), 0)
            found.append(latent.moved(same, vector, strengths, layers_of(band, len(ws))))
            methods += [f'{name}, {strength:.1f} in {band}' for strength in strengths]
        return np.concatenate(found), methods

    def _mix(self, ws, w):
        """A sampled w mixed into ws in each band, half or whole: (ws, methods)."""
        found, methods = [], []
        for band in BANDS:
            for share in (0.5, 1.0):
                layers = layers_of(band, len(ws))
                mixed = np.array(ws)
                mixed[layers] += np.float32(share) * (w - mixed[layers])
                found.append(mixed)
                methods.append(f'{100 * share:.0f} % of another in {band}')
        return np.stack(found), methods
