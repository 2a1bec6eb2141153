"""What a direction changes besides what it is for, measured on pictures: bands, flips, removal.

A labelled direction is tried on sampled styles that do not show its value but could. Each is moved
until the direction's score is well among those that do show it (their SURE-th percentile). `hit` is
the share that then shows the value; `flips` is the share of pictures, per other head, that show
another value there.
"""

import dataclasses
import re

import numpy as np

from dnnlib import files, progress
from stylegan import figures, labelled, latent, linear

BANDS = ('coarse', 'middle', 'fine', 'all')
SURE = 75
UNITS = 2.0  # how far directions without labels are moved, either way
STRENGTHS = (-4, -2, -1, 0, 1, 2, 4)  # of the strips, in units; one row for each of ROWS styles
ROWS = 4
MOST_REMOVED = 8  # directions that are removed from another one


class Probe:
    """Moves sampled styles and looks at what becomes of their pictures.

    generator, see: as `classify` in stylegan.labelled. sample: a LabelledSample.
    count: styles that a direction is tried on.
    """

    def __init__(self, generator, see, sample, count, seed=0):
        self._generator, self._see, self._count = generator, see, count
        self.sample, self.heads = sample, sample.heads
        self.spread = linear.covariance(sample.w)
        self._order = np.random.RandomState([seed, 71]).permutation(len(sample))

    def _after(self, chosen, vector, amounts, band):
        """What the chosen styles show when moved: {head: int [n]}."""
        layers = latent.band(band, self._generator.layers)
        ws = labelled.layered(self.sample.w[chosen], self._generator.layers)
        seen = labelled.predict(self._generator, self._see,
                                latent.moved(ws, vector, amounts, layers))
        return {head: p.argmax(1) for head, p in seen.items()}

    def _flips(self, chosen, after, skip=''):
        return {head: float(np.mean(values != self.sample.values[head][chosen]))
                for head, values in after.items() if head != skip}

    def towards(self, direction, vector, band):
        """Move towards a labelled direction's value along `vector` -> (hit, flips, gained).

        gained: {'head=value': pictures that show it only now}. None in place of all where no
        picture could show the value.
        """
        head, value = direction.name.split('=', 1)
        index = self.sample.place(head, value)
        shows = self.sample.values[head] == index
        could = self.sample.plausible(head, index) & ~shows
        chosen = self._order[could[self._order]][:self._count]
        if not len(chosen):
            return None
        scores = self.sample.w @ direction.normal
        missing = np.maximum(0, np.percentile(scores[shows], SURE) - scores[chosen])
        amounts = missing / float(direction.normal @ vector)
        after = self._after(chosen, vector, amounts, band)
        return (float(np.mean(after[head] == index)), self._flips(chosen, after, head),
                self._gained(chosen, after, head))

    def _gained(self, chosen, after, skip):
        gained = {}
        for head, values in after.items():
            new = values[values != self.sample.values[head][chosen]]
            if head != skip:
                gained.update({f'{head}={self.heads[head][index]}': int(count)
                               for index, count in enumerate(np.bincount(new)) if count})
        return gained

    def along(self, direction, band):
        """Move UNITS either way along any direction -> flips of every head."""
        chosen = self._order[:self._count]
        ways = [self._flips(chosen, self._after(
            chosen, direction.vector, np.full(len(chosen), sign * UNITS * direction.scale),
            band)) for sign in (-1, 1)]
        return {head: (ways[0][head] + ways[1][head]) / 2 for head in ways[0]}


def _mean(flips):
    return float(np.mean(list(flips.values()))) if flips else 0.0


def _value(result):
    """What a direction is worth: the share of hits, times that of the other heads that stay."""
    return result[0] * (1 - _mean(result[1]))


def _figures(result, band):
    hit, flips, _ = result
    return {'band': band, 'hit': hit, 'others': _mean(flips), 'flips': flips}


def _removed(direction, gained, known, spread):
    """(vector, names): the direction without those of the values that it brought along most."""
    ranked = sorted(gained, key=lambda name: (-gained[name], name))
    names = [name for name in ranked if name in known]
    names = names[:min(MOST_REMOVED, len(direction.vector) // 2)]
    return linear.step(direction.normal, spread, [known[name].normal for name in names]), names


def study(probe, direction, known):
    """Find the band of a labelled direction and what removal does -> (Direction, figures).

    known: {name: Direction} of all labelled ones. The Direction has the band, and where that is
    worth more, the vector without those of the values that it changes by the way. Without a
    picture to try it on, it comes back as it was, with figures {}.
    """
    tried = {band: probe.towards(direction, direction.vector, band) for band in BANDS}
    if tried['all'] is None:
        return direction, {}
    band = max(BANDS, key=lambda name: _value(tried[name]))
    figures = {'before': _figures(tried[band], band), 'removed': []}
    figures['bands'] = {name: {'hit': result[0], 'others': _mean(result[1])}
                        for name, result in tried.items()}
    vector, names = _removed(direction, tried[band][2], known, probe.spread)
    better = direction.vector
    if names:
        after = probe.towards(direction, vector, band)
        figures.update(after=_figures(after, band), removed=names)
        if _value(after) > _value(tried[band]):
            better = np.float32(vector)
    return dataclasses.replace(
        direction, vector=better, band=band,
        scale=linear.scale(probe.sample.w, better)), figures


def _study_unlabelled(probe, direction):
    """As `study`, of a direction that has no value to reach; that of a number gets its band too."""
    head, bands = direction.name, (direction.band,)
    if head in probe.heads:
        bands = BANDS
    tried = {}
    for band in bands:
        flips = probe.along(direction, band)
        tried[band] = flips.pop(head, 0.0), flips, {}
    band = max(bands, key=lambda name: _value(tried[name]))
    return dataclasses.replace(direction, band=band), _figures(tried[band], band)


def study_all(probe, found):
    """Directions of `discover` -> (the same with their bands, {name: figures})."""
    known = {direction.name: direction for direction in found
             if direction.name.split('=')[0] in probe.heads and '=' in direction.name}
    result, figures = [], {}
    for direction in progress.bar(found, what='measuring', unit='direction', leave=False):
        if direction.name in known:
            direction, figures[direction.name] = study(probe, direction, known)
        else:
            direction, figures[direction.name] = _study_unlabelled(probe, direction)
        result.append(direction)
    return result, figures


def write(folder, found, figures):
    """Write directions.txt, the table, and directions.json with every figure -> the table."""
    told = {direction.name: dict(figures[direction.name], kind=direction.kind, band=direction.band,
                                 auc=None if np.isnan(direction.auc) else direction.auc,
                                 scale=direction.scale) for direction in found}
    files.write_json(folder / 'directions.json', told)
    text = table(found, figures)
    files.write_text(folder / 'directions.txt', text + '\n')
    return text


def file_name(direction):
    """A direction's name as that of a file."""
    return re.sub(r'[^\w=+.-]+', '-', direction.name)


def strip(generator, sample, direction):
    """A row for each of some sampled styles: from much less to much more of a direction."""
    ws = labelled.layered(sample.w[:ROWS], generator.layers)
    return figures.sweep(generator, ws, direction.vector, np.array(STRENGTHS) * direction.scale,
                         latent.band(direction.band, generator.layers))


def _percent(share):
    return f'{100 * share:3.0f} %'


def _line(direction, figures):
    told = '' if np.isnan(direction.auc) else f'{direction.auc:.3f}'
    start = '%-28s %-8s %5s  %-7s' % (direction.name, direction.kind, told, direction.band)
    if 'before' in figures:
        sides = [figures['before'], figures.get('after', figures['before'])]
        told = [f"{_percent(side['hit'])}  {_percent(side['others'])}" for side in sides]
        return f"{start}  {told[0]}   {told[1]}   {_worst(figures['before'])}"
    if 'flips' in figures:
        told = '%s  %s' % (_percent(figures['hit']) if figures['hit'] else 5 * ' ',
                           _percent(figures['others']))
        return f"{start}  {told}   {12 * ' '}   {_worst(figures)}"
    return start


def _worst(figures):
    most = sorted(figures['flips'], key=lambda head: -figures['flips'][head])[:3]
    return ', '.join(f"{head} {_percent(figures['flips'][head]).strip()}" for head in most)


def table(found, figures):
    """Directions and the figures of `study_all` as text.

    hit: share of pictures that show the value then; else: mean share of other heads that change.
    """
    line = '%-28s %-8s %5s  %-7s  %-12s   %-12s   %s'
    heads = [line % ('', '', '', '', 'as found', 'with removal', 'what else changes most'),
             line % ('direction', 'found by', 'AUC', 'layers', '  hit   else', '  hit   else', '')]
    return '\n'.join([each.rstrip() for each in heads] + [
        _line(direction, figures.get(direction.name, {})) for direction in found])
