"""Editing: the smallest change of a style whose image shows a target value and keeps the rest.

A tagger (see `steering`) classifies the images of two kinds of candidates:

1. Lines. The direction of the target value, itself and made orthogonal to the directions of the
   values to keep, and the line to the mean of similar sampled w that show the target value; each
   in every band of layers, with increasing strength.
2. Mixes. The same sampled w, one by one, mixed into a band of layers, half or entirely.

The best candidate shows the target value with confidence, keeps most of the other values, and among
those is nearest to the original image. All this must hold for the flipped and the shifted image
too: it guards against candidates that fool the tagger. (An evolutionary search among the best
candidates changed what this tagger saw, and not what a second one did, so there is none.)
"""

import dataclasses

import numpy as np

from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from steering.directions import named
from stylegan import labelled, latent, linear

BANDS = ('coarse', 'middle', 'fine', 'coarse+middle', 'middle+fine', 'all')
_TARGET_MARGIN = np.log(20)  # least log odds of a target value over the next most probable one, ...
_KEPT_MARGIN = np.log(5)  # ... and of a value to keep
_TARGET_COST, _GREY_COST = 5.0, 0.05  # of a target head and of a grey level; a kept head costs 1


@dataclasses.dataclass(frozen=True)
class Search:
    """Options of the search."""
    psi: float = knob(0.7, 'truncation of seeds; 1: none, 0: the average product')
    strengths: int = knob(5, 'strengths along each line', least=1)
    strongest: float = knob(4.0, 'the strongest of them', 'standard deviations', above=0)
    similar: int = knob(24, 'sampled w with the target value to use', least=1)
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


def _views(pictures):
    """uint8 [n, h, w, 3] as they are, flipped, and shifted by 3 % of the side."""
    shift = max(1, pictures.shape[1] // 32)
    flipped = pictures[:, :, ::-1]
    yield pictures
    yield flipped
    yield np.roll(pictures, shift, 1)
    yield np.roll(pictures, -shift, 2)
    yield np.roll(flipped, (-shift, shift), (1, 2))


class Editor:
    """Edits styles of one generator.

    generator: stylegan.generator.Generator. tagger: see `steering`. directions: {name: Direction}.
    sample: a LabelledSample of the same generator and tagger. Attributes: these, and heads: the
    visible ones, which alone are changed or kept.
    """

    def __init__(self, generator, tagger, sample, directions, config=Search()):
        self.generator, self.tagger, self.sample = generator, tagger, sample
        self.directions, self.config, self.heads = directions, config, sample.visible()
        self._deviation, self._covariance = sample.w.std(0), linear.covariance(sample.w)

    def edit(self, ws, targets, moves=()):
        """Move ws [layers, w] along directions, then search for targets {head: value} -> Edit.

        The target values are searched for in turn; earlier ones are kept with the rest. moves: see
        `along`. Raises UserError for unknown values.
        """
        indices = {head: self._target(head, value) for head, value in targets.items()}
        shown_before = self.shows(ws)
        before, ws = ws, self.along(ws, moves)
        methods = [f'{direction.name} {strength:+g} in {band}'
                   for direction, strength, band in moves]
        goal = self._indices(ws)
        for count, (head, index) in enumerate(indices.items(), 1):
            if index != goal[head]:
                goal[head] = index
                ws, method = self._search(ws, head, list(indices)[:count], goal)
                methods.append(method)
        return Edit(ws, before, '; '.join(methods) or 'nothing to change', self.shows(ws),
                    shown_before)

    def _target(self, head, value):
        """The index of a target value. Raises UserError if it is unknown or its head invisible."""
        index = labelled.value_index(self.tagger.heads, head, value)
        if head not in self.heads:
            raise UserError(f"the tagger is too often unsure of '{head}' in these images to search "
                            f"by it; it is sure of: {', '.join(self.heads)}")
        return index

    def shows(self, ws):
        """The tagger's predictions for the image of ws [layers, w]: {visible head: value}."""
        found = self.tagger.probabilities(self.generator.pictures(ws[np.newaxis]))
        return {head: self.tagger.heads[head][int(found[head][0].argmax())]
                for head in self.heads}

    def _indices(self, ws):
        return {head: self.tagger.heads[head].index(value)
                for head, value in self.shows(ws).items()}

    def along(self, ws, moves):
        """ws [layers, w] moved along directions. moves: (Direction, strength in units, band)."""
        for direction, strength, band in moves:
            ws = latent.moved(ws[np.newaxis], direction.vector, [strength * direction.scale],
                              layers_of(band, len(ws)))[0]
        return ws

    def _search(self, ws, head, targets, goal):
        """The best candidate: (ws [layers, w], the method that made it).

        goal: {head: index}, the target value of `head` and the values of all others to keep;
        targets: the heads with target values so far.
        """
        tried, methods = self._candidates(ws, head, goal)
        best = int(np.argmin(self._costs(tried, targets, goal)))
        return tried[best], methods[best]

    def _costs(self, ws, targets, goal):
        """The cost of each candidate ws [n, layers, w], the first of which is unedited: [n]."""
        pictures = self.generator.pictures(ws)
        original = pictures[:1].astype(np.float32)
        costs = _GREY_COST * np.abs(pictures - original).mean((1, 2, 3))
        seen = [self.tagger.probabilities(view) for view in _views(pictures)]
        for name in self.heads:
            logs = np.log(np.stack([each[name] for each in seen]) + 1e-6)  # [views, n, values]
            others = np.delete(logs, goal[name], 2).max(2, initial=-20)
            deficit = others - logs[:, :, goal[name]]
            margin = _TARGET_MARGIN if name in targets else _KEPT_MARGIN
            loss = np.clip(deficit + margin, 0, 3) + (deficit > 0)
            costs = costs + (_TARGET_COST if name in targets else 1) * loss.mean(0)
        return costs

    # Candidates.

    def _candidates(self, ws, head, goal):
        """ws itself, and all lines and mixes for ws [layers, w] -> (ws [n, layers, w], methods)."""
        similar = self._similar(ws, head, goal)
        found = [self._line(ws, *line) for line in self._lines(ws, head, goal, similar)]
        found += [self._mix(ws, w) for w in similar]
        return (np.concatenate([ws[np.newaxis]] + [each for each, _ in found]),
                ['unedited'] + [method for _, methods in found for method in methods])

    def _value(self, head, goal):
        return self.sample.heads[head][goal[head]]

    def _similar(self, ws, head, goal):
        """Sampled w that show the target value, those that share most other values first."""
        shows = np.flatnonzero(self.sample.values[head] == goal[head])
        kept = sum((self.sample.probabilities[name][shows, goal[name]]
                    for name in self.heads if name != head), np.zeros(len(shows)))
        standardised = (self.sample.w[shows] - ws.mean(0)) / (self._deviation + 1e-9)
        distance = np.linalg.norm(standardised, axis=1)
        order = np.argsort(-kept + 0.02 * distance, kind='stable')
        return self.sample.w[shows[order[:self.config.similar]]]

    def _lines(self, ws, head, goal, similar):
        """(vector whose length is one unit, its name) of each line to move along."""
        name = f'{head}={self._value(head, goal)}'
        if name in self.directions:
            own = self.directions[name]
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
        return [self.directions[name].normal for name in names if name in self.directions]

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
