"""Editing: the smallest change of a style whose image shows a target value and keeps the rest.

A tagger (see `steering`) classifies the images. Three kinds of candidates are tried in turn:

1. Lines. The direction of the target value, itself and made orthogonal to the directions of the
   values to keep, and the line to the mean of similar sampled w that show the target value; each
   in every band of layers, with increasing strength.
2. Mixes. The same sampled w, one by one, mixed into a band of layers, half or entirely.
3. Evolution. The best candidates are crossed over by layers and mutated: by steps along the
   direction of a value that is wrong, or at random.

The best candidate shows the target value with confidence, also when flipped, keeps most of the
other values, and among those is nearest to the original image.
"""

import dataclasses

import numpy as np

from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from steering.directions import named
from stylegan import labelled, latent, linear

BANDS = ('coarse', 'middle', 'fine', 'coarse+middle', 'middle+fine', 'all')
_PARENTS, _EVOLVED = 8, ', evolved'
_TARGET_MARGIN = np.log(3)  # least log odds of a target value over the next most probable one, ...
_KEPT_MARGIN = np.log(1.5)  # ... and of a value to keep
_TARGET_COST, _GREY_COST = 5.0, 0.02  # of a target head and of a grey level; a kept head costs 1
_CROSSOVER, _MUTATION = 0.3, 0.3  # fraction of layers from the second parent, scale of random steps


@dataclasses.dataclass(frozen=True)
class Search:
    """Options of the search."""
    psi: float = knob(0.7, 'truncation of seeds; 1: none, 0: the average product')
    strengths: int = knob(5, 'strengths along each line', least=1)
    strongest: float = knob(4.0, 'the strongest of them', 'standard deviations', above=0)
    similar: int = knob(8, 'sampled w with the target value to use', least=1)
    generations: int = knob(8, 'generations of the evolution; 0: only lines and mixes', least=0)
    children: int = knob(32, 'images per generation', least=1)
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, eq=False)
class Edit:
    """The result of an edit.

    ws, before: float32 [layers, w]. method: the candidate that was chosen, in words.
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


def parse_moves(texts, directions, layers=''):
    """['pca3=+2', ...] -> list of (Direction, strength, band); directions: {name: Direction}.

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
        direction = named(directions, name.strip())
        found.append((direction, amount, layers or direction.band))
    return found


def layers_of(band, layers):
    """The layers of one of BANDS, or of what `latent.band` reads -> list."""
    return sorted({layer for part in band.split('+') for layer in latent.band(part, layers)})


def interpolated(edit, shares=(0, 0.25, 0.5, 0.75, 1, 1.25)):
    """Styles from before an edit to beyond it: ws [len(shares), layers, w]."""
    return np.stack([edit.before + np.float32(share) * (edit.ws - edit.before) for share in shares])


def report(edit, targets):
    """What an edit changed, in lines. targets: {head: value}."""
    lines = ['found by: ' + edit.method]
    for head, value in edit.shown.items():
        before = edit.shown_before[head]
        if value != before or head in targets:
            note = 'as requested' if targets.get(head) == value else (
                f'target: {targets[head]}' if head in targets else 'side effect')
            lines.append(f"{head}: {before or repr('')} -> {value or repr('')} ({note})")
    same = [head for head, value in edit.shown.items()
            if value == edit.shown_before[head] and head not in targets]
    return '\n'.join(lines + ['unchanged: ' + ', '.join(same)])


class _Candidates:
    """Styles [n, layers, w], the methods that made them, costs [n], and wrong heads [n, heads]."""

    def __init__(self, ws, methods, costs, wrong):
        self.ws, self.methods, self.costs, self.wrong = ws, methods, costs, wrong

    def best(self, count):
        """Those of least cost, the best first."""
        order = np.argsort(self.costs, kind='stable')[:count]
        return _Candidates(self.ws[order], [self.methods[i] for i in order], self.costs[order],
                           self.wrong[order])

    def joined(self, other):
        """These and others."""
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

    def edit(self, ws, targets, moves=(), seed=0, on_round=lambda done, ws: None):
        """Move ws [layers, w] along directions, then search for targets {head: value} -> Edit.

        The target values are searched for in turn; earlier ones are kept with the rest. moves: see
        `along`. on_round: called after each round of a search with the fraction of the most rounds
        that it may take, and the best ws so far. Raises UserError for unknown values.
        """
        indices = {head: labelled.value_index(self.tagger.heads, head, value)
                   for head, value in targets.items()}
        shown_before = self.shows(ws)
        before, ws = ws, self.along(ws, moves)
        methods = [f'{direction.name} {strength:+g} in {band}'
                   for direction, strength, band in moves]
        goal = self._indices(ws)
        for count, (head, index) in enumerate(indices.items(), 1):
            if index != goal[head]:
                goal[head] = index
                best = self._search(ws, head, list(indices)[:count], goal, seed, on_round)
                ws, methods = best.ws[0], methods + best.methods
        return Edit(ws, before, '; '.join(methods) or 'nothing to change', self.shows(ws),
                    shown_before)

    def shows(self, ws):
        """The tagger's predictions for the image of ws [layers, w]: {head: value}."""
        found = self.tagger.probabilities(self.generator.pictures(ws[np.newaxis]))
        return {head: self.tagger.heads[head][int(p[0].argmax())] for head, p in found.items()}

    def _indices(self, ws):
        return {head: self.tagger.heads[head].index(value)
                for head, value in self.shows(ws).items()}

    def along(self, ws, moves):
        """ws [layers, w] moved along directions. moves: (Direction, strength in units, band)."""
        for direction, strength, band in moves:
            ws = latent.moved(ws[np.newaxis], direction.vector, [strength * direction.scale],
                              layers_of(band, len(ws)))[0]
        return ws

    def _search(self, ws, head, targets, goal, seed, on_round):
        """The best style found, as _Candidates of one.

        goal: {head: index}, the target value of `head` and the values of all others to keep;
        targets: the heads with target values so far.
        """
        original = self.generator.pictures(ws[np.newaxis]).astype(np.float32)
        tried, methods = self._first_candidates(ws, head, goal)
        found = self._evaluated(tried, methods, targets, goal, original)
        rng = np.random.RandomState([seed, 61])
        for generation in range(self.config.generations):
            parents = found.best(_PARENTS)
            on_round((generation + 1) / (self.config.generations + 1), parents.ws[0])
            if not parents.wrong[0].any():
                break
            children, firsts = self._offspring(parents, goal, rng)
            methods = [parents.methods[first].split(_EVOLVED)[0] + _EVOLVED for first in firsts]
            found = parents.joined(self._evaluated(children, methods, targets, goal, original))
        return found.best(1)

    def _evaluated(self, ws, methods, targets, goal, original):
        """_Candidates with their costs. original: the image before, float.

        Target heads are checked on the flipped image too, against adversarial candidates.
        """
        pictures = self.generator.pictures(ws)
        cost, wrong = _GREY_COST * np.abs(pictures - original).mean((1, 2, 3)), []
        both = self.tagger.probabilities(np.concatenate([pictures, pictures[:, :, ::-1]]))
        for name in self.tagger.heads:
            logs = np.log(both[name] + 1e-6).reshape(2, len(ws), -1)
            logs = logs if name in targets else logs[:1]
            others = np.delete(logs, goal[name], 2).max(2, initial=-20)
            deficit = others - logs[:, :, goal[name]]
            margin = _TARGET_MARGIN if name in targets else _KEPT_MARGIN
            loss = np.clip(deficit + margin, 0, 3) + (deficit > 0)
            wrong.append((deficit > (-margin if name in targets else 0)).any(0))
            cost = cost + (_TARGET_COST if name in targets else 1) * loss.mean(0)
        return _Candidates(ws, methods, cost, np.stack(wrong, 1))

    # Candidates.

    def _first_candidates(self, ws, head, goal):
        """All lines and mixes for ws [layers, w] -> (ws [n, layers, w], methods)."""
        similar = self._similar(ws, head, goal)
        found = [self._line(ws, *line) for line in self._lines(ws, head, goal, similar)]
        found += [self._mix(ws, w) for w in similar]
        return (np.concatenate([ws[np.newaxis]] + [each for each, _ in found]),
                ['unedited'] + [method for _, methods in found for method in methods])

    def _offspring(self, parents, goal, rng):
        """Children of _Candidates -> (ws [n, layers, w], index of each one's first parent)."""
        result, firsts = [], rng.randint(len(parents.ws), size=self.config.children)
        for first in firsts:
            child = np.array(parents.ws[first])
            second = parents.ws[rng.randint(len(parents.ws))]
            crossed = rng.rand(len(child)) < _CROSSOVER
            child[crossed] = second[crossed]
            for head, wrong in zip(self.tagger.heads, parents.wrong[first]):
                if wrong:
                    child = self._step(child, f'{head}={self._value(head, goal)}', rng)
            if rng.rand() < 0.5:
                mutation = rng.randn(child.shape[1]) * self._deviation * _MUTATION
                child[self._random_layers(child, rng)] += np.float32(mutation)
            result.append(child)
        return np.stack(result), firsts

    def _value(self, head, goal):
        return self.sample.heads[head][goal[head]]

    def _random_layers(self, ws, rng):
        return layers_of(BANDS[rng.randint(len(BANDS))], len(ws))

    def _step(self, ws, name, rng):
        """With probability 0.7, a random step along the direction of this name, if there is one."""
        if name not in self.known or rng.rand() < 0.3:
            return ws
        own = self.known[name]
        amount = rng.rand() * 2 * own.scale
        return latent.moved(ws[np.newaxis], own.vector, [amount], self._random_layers(ws, rng))[0]

    def _similar(self, ws, head, goal):
        """Sampled w that show the target value, those that share most other values first."""
        shows = np.flatnonzero(self.sample.values[head] == goal[head])
        kept = sum((self.sample.probabilities[name][shows, goal[name]]
                    for name in self.sample.heads if name != head), np.zeros(len(shows)))
        standardised = (self.sample.w[shows] - ws.mean(0)) / (self._deviation + 1e-9)
        distance = np.linalg.norm(standardised, axis=1)
        order = np.argsort(-kept + 0.02 * distance, kind='stable')
        return self.sample.w[shows[order[:self.config.similar]]]

    def _lines(self, ws, head, goal, similar):
        """(vector whose length is one unit, its name) of each line to move along."""
        name = f'{head}={self._value(head, goal)}'
        if name in self.known:
            own = self.known[name]
            yield own.vector * own.scale, name
            kept = self._kept_normals(head, goal)
            if 0 < len(kept) < len(own.vector) // 2:
                rest = linear.step(own.normal, self._covariance, kept)
                yield rest * linear.scale(self.sample.w, rest), name + ' orthogonal to the rest'
        if len(similar):
            difference = similar.mean(0) - ws.mean(0)
            yield difference / self.config.strongest, 'towards samples with ' + name

    def _kept_normals(self, head, goal):
        """The normals of the values to keep."""
        names = [f'{other}={self._value(other, goal)}' for other in goal if other != head]
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
        """A sampled w mixed into ws in each band, half or entirely: (ws, methods)."""
        found, methods = [], []
        for band in BANDS:
            for share in (0.5, 1.0):
                layers = layers_of(band, len(ws))
                mixed = np.array(ws)
                mixed[layers] += np.float32(share) * (w - mixed[layers])
                found.append(mixed)
                methods.append(f'{100 * share:.0f} % of a sample in {band}')
        return np.stack(found), methods
