"""Entanglement: what a direction changes besides its own attribute, measured on images.

A labelled direction is tried on sampled w whose images could show its value but do not. Each is
moved to the direction's score that is the TARGET-th percentile of those that show it. `hit` is the
fraction that then show the value; `flips` is, per other head, the fraction that change their
value. Each direction gets its best band of layers, and is made orthogonal to the directions that
it is entangled with if that is better still.
"""

import dataclasses
import re

import numpy as np

from dnnlib import files, progress
from stylegan import labelled, latent, linear
from stylegan.figures import sweep

BANDS = ('coarse', 'middle', 'fine', 'all')
TARGET = 75
UNITS = 2.0  # how far unlabelled directions are moved, both ways
STRENGTHS = (-4, -2, -1, 0, 1, 2, 4)  # of the strips, in units; one row for each of ROWS samples
ROWS = 4
MOST_REMOVED = 8  # directions to make another one orthogonal to


class Probe:
    """Moves sampled w and classifies their images.

    generator: stylegan.generator.Generator. tagger: see `steering`. sample: a LabelledSample.
    count: number of w that a direction is tried on.
    """

    def __init__(self, generator, tagger, sample, count, seed=0):
        self._generator, self._tagger, self._count = generator, tagger, count
        self.sample, self.heads = sample, sample.heads
        self.covariance = linear.covariance(sample.w)
        self._order = np.random.RandomState([seed, 71]).permutation(len(sample))

    def _after(self, chosen, vector, amounts, band):
        """Predictions for the images of the chosen w, moved along `vector`: {head: int [n]}."""
        layers = latent.band(band, self._generator.layers)
        ws = labelled.layered(self.sample.w[chosen], self._generator.layers)
        found = labelled.predict(self._generator, self._tagger,
                                 latent.moved(ws, vector, amounts, layers))
        return {head: p.argmax(1) for head, p in found.items()}

    def _flips(self, chosen, after, skip=''):
        return {head: float(np.mean(values != self.sample.values[head][chosen]))
                for head, values in after.items() if head != skip}

    def towards(self, direction, vector, band):
        """Move along `vector` to the value of a labelled direction -> (hit, flips, gained).

        gained: {'head=value': number of images that newly show it}. None if no image shows the
        value, or none could.
        """
        head, value = direction.name.split('=', 1)
        index = self.sample.value_index(head, value)
        shows = self.sample.values[head] == index
        could = self.sample.plausible(head, index) & ~shows
        chosen = self._order[could[self._order]][:self._count]
        if not len(chosen) or not shows.any():
            return None
        scores = self.sample.w @ direction.normal
        missing = np.maximum(0, np.percentile(scores[shows], TARGET) - scores[chosen])
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
        """Move by UNITS and by -UNITS along any direction -> mean flips of every head."""
        chosen = self._order[:self._count]
        both = [self._flips(chosen, self._after(
            chosen, direction.vector, np.full(len(chosen), sign * UNITS * direction.scale),
            band)) for sign in (-1, 1)]
        return {head: (both[0][head] + both[1][head]) / 2 for head in both[0]}


def _mean(flips):
    return float(np.mean(list(flips.values()))) if flips else 0.0


def _quality(result):
    """The hit rate times the fraction of other heads kept."""
    return result[0] * (1 - _mean(result[1]))


def _figures(result, band):
    hit, flips, _ = result
    return {'band': band, 'hit': hit, 'others': _mean(flips), 'flips': flips}


def _orthogonal(direction, gained, known, covariance):
    """(vector, names): the direction orthogonal to those of the values that it adds most."""
    ranked = sorted(gained, key=lambda name: (-gained[name], name))
    names = [name for name in ranked if name in known]
    names = names[:min(MOST_REMOVED, len(direction.vector) // 2)]
    return linear.step(direction.normal, covariance, [known[name].normal for name in names]), names


def study(probe, direction, known):
    """Find the best band of a labelled direction, and disentangle it -> (Direction, figures).

    known: {name: Direction} of all labelled ones. The result has the best band and, if it is
    better, the orthogonal vector. Without an image to try it on, the direction is returned
    unchanged, with figures {}.
    """
    tried = {band: probe.towards(direction, direction.vector, band) for band in BANDS}
    if tried['all'] is None:
        return direction, {}
    band = max(BANDS, key=lambda name: _quality(tried[name]))
    figures = {'before': _figures(tried[band], band), 'removed': []}
    figures['bands'] = {name: {'hit': result[0], 'others': _mean(result[1])}
                        for name, result in tried.items()}
    vector, names = _orthogonal(direction, tried[band][2], known, probe.covariance)
    best = direction.vector
    if names:
        after = probe.towards(direction, vector, band)
        figures.update(after=_figures(after, band), removed=names)
        if _quality(after) > _quality(tried[band]):
            best = np.float32(vector)
    return dataclasses.replace(
        direction, vector=best, band=band, scale=linear.scale(probe.sample.w, best)), figures


def _study_unlabelled(probe, direction):
    """As `study`, of a direction without a target value; an ordinal one also gets its best band."""
    head, bands = direction.name, (direction.band,)
    if head in probe.heads:
        bands = BANDS
    tried = {}
    for band in bands:
        flips = probe.along(direction, band)
        tried[band] = flips.pop(head, 0.0), flips, {}
    band = max(bands, key=lambda name: _quality(tried[name]))
    return dataclasses.replace(direction, band=band), _figures(tried[band], band)


def _is_value(name, heads):
    """Whether a direction is named after a value of a head; hand labels may have any name."""
    head, _, value = name.partition('=')
    return bool(value) and value in heads.get(head, ())


def study_all(probe, directions):
    """Directions of `discover` -> (those with their best bands, {name: figures})."""
    valued = {direction.name: direction for direction in directions
              if _is_value(direction.name, probe.heads)}
    result, figures = [], {}
    for direction in progress.bar(directions, what='measuring', unit='direction', leave=False):
        if direction.name in valued:
            direction, figures[direction.name] = study(probe, direction, valued)
        else:
            direction, figures[direction.name] = _study_unlabelled(probe, direction)
        result.append(direction)
    return result, figures


def write(folder, directions, figures):
    """Write directions.txt, the table, and directions.json, all figures -> the table."""
    files.write_json(folder / 'directions.json', {
        direction.name: dict(figures[direction.name], kind=direction.kind, band=direction.band,
                             auc=None if np.isnan(direction.auc) else direction.auc,
                             scale=direction.scale) for direction in directions})
    text = table(directions, figures)
    files.write_text(folder / 'directions.txt', text + '\n')
    return text


def file_names(directions):
    """A unique file name, without suffix, for each direction."""
    result = []
    for direction in directions:
        stem = re.sub(r'[^\w=+.-]+', '-', direction.name)[:100].strip('.') or 'direction'
        name, number = stem, 2
        while name in result:
            name, number = f'{stem}-{number}', number + 1
        result.append(name)
    return result


def strip(generator, sample, direction):
    """A sheet with a row for each of ROWS sampled w, moved along a direction by STRENGTHS."""
    ws = labelled.layered(sample.w[:ROWS], generator.layers)
    return sweep(generator, ws, direction.vector, np.array(STRENGTHS) * direction.scale,
                 latent.band(direction.band, generator.layers))


def _percent(share):
    return f'{100 * share:3.0f} %'


def _row(*cells):
    return '{:28} {:8} {:>5}  {:7}  {:12}   {:12}   {}'.format(*cells).rstrip()


def _line(direction, figures):
    auc = '' if np.isnan(direction.auc) else f'{direction.auc:.3f}'
    first = files.printable(direction.name), direction.kind, auc, direction.band
    if 'before' in figures:
        sides = [figures['before'], figures.get('after', figures['before'])]
        shares = [f"{_percent(side['hit'])}  {_percent(side['others'])}" for side in sides]
        return _row(*first, *shares, _worst(figures['before']))
    if 'flips' in figures:
        hit = _percent(figures['hit']) if figures['hit'] else 5 * ' '
        return _row(*first, f"{hit}  {_percent(figures['others'])}", '', _worst(figures))
    return _row(*first, '', '', '')


def _worst(figures):
    most = sorted(figures['flips'], key=lambda head: -figures['flips'][head])[:3]
    return ', '.join(f"{head} {_percent(figures['flips'][head]).strip()}" for head in most)


def table(directions, figures):
    """Directions and the figures of `study_all` as text.

    hit: fraction of images that then show the value; else: mean fraction of other heads changed.
    """
    return '\n'.join([
        _row('', '', '', '', 'as found', 'orthogonal', 'what else changes most'),
        _row('direction', 'found by', 'AUC', 'layers', '  hit   else', '  hit   else', '')] + [
            _line(direction, figures.get(direction.name, {})) for direction in directions])
