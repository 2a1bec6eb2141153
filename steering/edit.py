"""Editing: the smallest change of a style at which its picture shows an asked value, and nothing
else that it showed has changed.

What a picture shows is asked of a function again (see `tagged`). Three things are tried, in turn:

1. Lines. The direction of the asked value, as it is and without the directions of the values to be
   kept, and the way to the mean of sampled styles that show the asked value and most of the values
   to be kept; each in every band of layers, from weak to strong.
2. Mixes. The same sampled styles one by one, laid over the style in a band of layers, from a share
   to all of it.
3. Evolution. The best so far have children: their layers are exchanged, they take steps along the
   direction of a value that was lost or not yet reached, or at random.

Of all pictures that surely show the asked value, in the mirror too, those win that kept most, and
of these the one nearest to the picture before.
"""

import dataclasses

import numpy as np

from dnnlib.files import UserError
from dnnlib.knobs import check, knob
from steering import proposals
from stylegan import labelled, latent
from steering.directionset import named

PARENTS, EVOLVED = 8, ', evolved'
_SURE = np.log(3)  # an asked value is to be so much likelier than the next one, ...
_KEPT = np.log(1.5)  # ... and one that is to be kept so much
_ASKED, _FAR = 5.0, 0.02  # what the asked value and a grey level of difference cost beside a head


@dataclasses.dataclass(frozen=True)
class Search:
    """How hard to try."""
    psi: float = knob(0.7, 'truncation of seeds; 1: none, 0: the average product')
    strengths: int = knob(5, 'strengths along each line', least=1)
    strongest: float = knob(4.0, 'the last of them', 'standard deviations', above=0)
    similar: int = knob(8, 'sampled styles that show the asked value to learn from', least=1)
    generations: int = knob(8, 'generations of the evolution; 0: only lines and mixes', least=0)
    children: int = knob(32, 'pictures per generation', least=1)
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, eq=False)
class Edit:
    """What an edit came to.

    ws, before: float32 [layers, w]. how: what found it, in words.
    shown, shown_before: {head: value}.
    """
    ws: np.ndarray
    before: np.ndarray
    how: str
    shown: dict
    shown_before: dict


def wanted(texts):
    """['sleeve=long sleeves', ...] -> {head: value}. Raises UserError."""
    found = {}
    for text in texts:
        head, equals, value = text.partition('=')
        if not equals:
            raise UserError(f"--set '{text}' is to read like sleeve=long sleeves")
        found[head.strip()] = value.strip()
    return found


def moves(texts, known, layers=''):
    """['pca3=+2', ...] -> list of (Direction, strength, band) of known {name: Direction}.

    layers: band instead of each direction's own. Raises UserError.
    """
    found = []
    for text in texts:
        name, equals, strength = text.rpartition('=')
        try:
            amount = float(strength)
        except ValueError:
            amount = np.nan
        if not equals or not np.isfinite(amount):
            raise UserError(f"--direction '{text}' is to read like pca3=+2")
        direction = named(known, name.strip())
        found.append((direction, amount, layers or direction.band))
    return found


def between(edit, shares=(0, 0.25, 0.5, 0.75, 1, 1.25)):
    """The styles from before an edit to it, and a little further: ws [len(shares), layers, w]."""
    return np.stack([edit.before + np.float32(share) * (edit.ws - edit.before) for share in shares])


def report(edit, asked):
    """What an edit changed, in lines. asked: {head: value}."""
    lines = ['how: ' + edit.how]
    for head, value in edit.shown.items():
        before = edit.shown_before[head]
        if value != before or head in asked:
            told = 'as asked' if asked.get(head) == value else (
                f'asked for: {asked[head]}' if head in asked else 'not asked for')
            lines.append("%s: %s -> %s (%s)" % (head, before or "''", value or "''", told))
    same = [head for head, value in edit.shown.items()
            if value == edit.shown_before[head] and head not in asked]
    return '\n'.join(lines + ['unchanged: ' + ', '.join(same)])


class _Candidates:
    """Styles, how they were made, what they cost, and which heads show a wrong value [n, heads]."""

    def __init__(self, ws, hows, costs, wrong):
        self.ws, self.hows, self.costs, self.wrong = ws, hows, costs, wrong

    def best(self, count):
        """The cheapest, cheapest first."""
        order = np.argsort(self.costs, kind='stable')[:count]
        return _Candidates(self.ws[order], [self.hows[i] for i in order], self.costs[order],
                           self.wrong[order])

    def joined(self, other):
        """These and others as one."""
        return _Candidates(*[np.concatenate([mine, theirs]) if isinstance(mine, np.ndarray)
                             else mine + theirs for mine, theirs in [
                                 (self.ws, other.ws), (self.hows, other.hows),
                                 (self.costs, other.costs), (self.wrong, other.wrong)]])


class Editor:
    """Edits styles of one generator.

    generator: stylegan.generator.Generator. heads, see: what pictures show (see `tagged`).
    sample:    a LabelledSample of the same generator. known: {name: Direction} of `discover`.
    """

    def __init__(self, generator, heads, see, sample, known, how=Search()):
        self.generator, self.heads, self.see = generator, heads, see
        self.sample, self.known, self.how = sample, known, how
        self._proposals = proposals.Proposals(sample, known, how)

    def edit(self, ws, wanted, moves=(), seed=0):
        """Move ws [layers, w] along directions, then search for the wanted {head: value} -> Edit.

        One value after the other is asked for; those before are kept with the rest. moves: see
        `along`. Raises UserError for unknown values.
        """
        places = {head: labelled.place(self.heads, head, value) for head, value in wanted.items()}
        shown_before = self.shows(ws)
        before, ws = ws, self.along(ws, moves)
        hows = [f'{direction.name} {strength:+g} in {band}'
                for direction, strength, band in moves]
        target = self._places(ws)
        for count, (head, place) in enumerate(places.items(), 1):
            if place != target[head]:
                target[head] = place
                best = self._search(ws, head, list(places)[:count], target, seed)
                ws, hows = best.ws[0], hows + best.hows
        return Edit(ws, before, '; '.join(hows) or 'it was so already', self.shows(ws),
                    shown_before)

    def shows(self, ws):
        """What the picture of ws [layers, w] shows: {head: value}."""
        seen = self.see(self.generator.pictures(ws[np.newaxis]))
        return {head: self.heads[head][int(p[0].argmax())] for head, p in seen.items()}

    def _places(self, ws):
        return {head: self.heads[head].index(value) for head, value in self.shows(ws).items()}

    def along(self, ws, moves):
        """ws [layers, w] moved without a search. moves: (Direction, strength in units, band)."""
        for direction, strength, band in moves:
            ws = latent.moved(ws[np.newaxis], direction.vector, [strength * direction.scale],
                              proposals.layers_of(band, len(ws)))[0]
        return ws

    def _judged(self, ws, hows, asked, target, origin):
        """Candidates with their costs. origin: the picture before, float.

        Pictures are looked at in the mirror too: what is seen but once may be a fluke. asked: the
        heads that count more.
        """
        pictures = self.generator.pictures(ws)
        cost, wrong = _FAR * np.abs(pictures - origin).mean((1, 2, 3)), []
        both = self.see(np.concatenate([pictures, pictures[:, :, ::-1]]))
        for name in self.heads:
            logs = np.log(both[name] + 1e-6).reshape(2, len(ws), -1)
            logs = logs if name in asked else logs[:1]
            others = np.delete(logs, target[name], 2).max(2, initial=-20)
            short = others - logs[:, :, target[name]]
            lost = np.clip(short + (_SURE if name in asked else _KEPT), 0, 3) + (short > 0)
            wrong.append((short > -_SURE if name in asked else short > 0).any(0))
            cost = cost + (_ASKED if name in asked else 1) * lost.mean(0)
        return _Candidates(ws, hows, cost, np.stack(wrong, 1))

    def _search(self, ws, head, asked, target, seed):
        """The best style that was found for a target: _Candidates, of one."""
        origin = self.generator.pictures(ws[np.newaxis]).astype(np.float32)
        tried, hows = self._proposals.first(ws, head, target)
        found = self._judged(tried, hows, asked, target, origin)
        random = np.random.RandomState([seed, 61])
        for _ in range(self.how.generations):
            parents = found.best(PARENTS)
            if not parents.wrong[0].any():
                break
            wrong = [[name for name, bad in zip(self.heads, row) if bad] for row in parents.wrong]
            children, firsts = self._proposals.children(parents.ws, wrong, target, random)
            hows = [parents.hows[first].split(EVOLVED)[0] + EVOLVED for first in firsts]
            found = parents.joined(self._judged(children, hows, asked, target, origin))
        return found.best(1)
