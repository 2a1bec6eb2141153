"""Which images of a catalogue are good enough to train on: each rule is a score and a threshold.

The rules are those of the 2019 post: small (width or height under 300), composition (product not
centred, or cut off), background (too complex), not-product (blank placeholders, close-ups of
fabric); in addition, unreadable and duplicate. The first rule that applies is the reason; all
scores of every image are written. Nothing is deleted or moved, and manual decisions are kept.
"""

import collections
import dataclasses
import pathlib
import shlex

import numpy as np

from catalog import source
from catalog.prune import decisions, measure, scores, sheets
from dnnlib import files, neighbours
from dnnlib.files import UserError
from dnnlib.knobs import check, knob

_RULES = (  # reason, score, knob: applied in this order
    ('small', 'side', 'min_side'),
    ('not-product', 'area', 'min_area'),
    ('not-product', 'subject', 'min_subject'),
    ('not-product', 'colours', 'min_colours'),
    ('background', 'clutter', 'max_clutter'),
    ('composition', 'offset', 'max_offset'),
    ('composition', 'cut', 'max_cut'))
REASONS = ('good', 'unreadable', 'small', 'not-product', 'background', 'composition', 'duplicate')
_BLOCK = 256  # images whose distances to all earlier ones are computed at once
_COLUMNS = decisions.COLUMNS + measure.SCORES + ('difference', 'duplicate_of', 'error')


@dataclasses.dataclass(frozen=True)
class Prune:
    """The thresholds; the defaults suit studios, plain floors, sheets and walls."""
    min_side: int = knob(300, 'small: minimum width and height of an image', 'px', least=0)
    min_area: float = knob(0.02, 'not-product: minimum fraction of the image that is covered',
                           least=0)
    min_subject: float = knob(0.36, 'not-product: minimum confidence of an object', '0..1',
                              least=0)
    min_colours: int = knob(12, 'not-product: minimum number of colours', least=0)
    max_clutter: float = knob(5.2, 'background: maximum complexity; 0: one even colour', least=0)
    max_offset: float = knob(0.13, 'composition: maximum distance from the centre, as a fraction',
                             least=0)
    max_cut: float = knob(0.6, 'composition: maximum fraction of one side that is covered',
                          least=0)
    min_difference: float = knob(3.0, 'duplicate: minimum difference from another image', '0..255',
                                 least=0)

    def __post_init__(self):
        check(self)


def _excesses(values, config):
    """Yield (excess, reason, score) of each rule. excess: the ratio of score and threshold; above 1
    the rule applies."""
    for reason, score, name in _RULES:
        value, limit = values[score], getattr(config, name)
        if name.startswith('min_'):
            value, limit = limit, value
        yield value / max(limit, 1e-9), reason, score


def _judge(record, config):
    """A row of prune.csv from a record of scores, before duplicates are marked.

    In addition to the columns it has, for the contact sheets, `excess`, how clear the decision
    was, and `remark`, the score that decided or came closest.
    """
    row = dict.fromkeys(_COLUMNS, '')
    row.update(record['scores'], image=record['image'], width=record['width'],
               height=record['height'], error=record['error'], rule='unreadable', excess=0.0,
               remark=record['error'])
    if record['scores']:
        values = dict(record['scores'], side=min(record['width'], record['height']))
        excesses = list(_excesses(values, config))
        broken = [rule for rule in excesses if rule[0] > 1]
        row['excess'], reason, score = broken[0] if broken else max(excesses)
        row.update(rule=reason if broken else 'good', remark=f'{score}: {values[score]:.4g}')
    return row


def find_duplicates(thumbnails, limit):
    """For each image, the most similar earlier one that is not a duplicate itself.

    thumbnails: uint8 [n, h, w, 3], in order of preference. A flipped image is not a duplicate.
    Returns (nearest, difference): the index of the most similar earlier non-duplicate, -1 if there
    is none, and the RMS difference from it in 0..255 levels, inf without one. An image is a
    duplicate if its difference is `limit` or less.
    """
    count = len(thumbnails)
    flat = np.asarray(thumbnails).reshape(count, -1).astype(np.float32) - 128
    nearest, difference = np.full([count], -1), np.full([count], np.inf)
    distinct = np.zeros([count], bool)
    for start in range(0, count, _BLOCK):
        block = flat[start:start + _BLOCK]
        gaps = neighbours.distances(block, flat[:start + len(block)]) / flat.shape[1] ** 0.5
        for row in range(len(block)):
            index = start + row
            others = np.flatnonzero(distinct[:index])
            if len(others):
                best = others[np.argmin(gaps[row, others])]
                nearest[index], difference[index] = best, gaps[row, best]
            distinct[index] = difference[index] > limit
    return nearest, difference


def _mark_duplicates(rows, records, config):
    """Of good images that are near-duplicates, keep the first in the catalogue."""
    good = [index for index, row in enumerate(rows) if row['rule'] == 'good']
    if not good:
        return
    thumbnails = scores.thumbnails([records[index] for index in good])
    nearest, difference = find_duplicates(thumbnails, config.min_difference)
    for place, index in enumerate(good):
        if nearest[place] < 0:
            continue
        row, other = rows[index], rows[good[nearest[place]]]
        row['difference'] = round(float(difference[place]), 3)
        if difference[place] <= config.min_difference:
            row.update(rule='duplicate', duplicate_of=other['image'], remark=f"of {other['image']}",
                       excess=1 + difference[place])


def _decide(rows, former):
    """Fill in keep and reason; manual decisions in the `former` prune.csv override the rules."""
    for row in rows:
        row['keep'], row['reason'] = 'yes' if row['rule'] == 'good' else 'no', row['rule']
        edited = former.get(row['image'])
        if edited and decisions.is_manual(edited):
            row['keep'], row['reason'] = edited['keep'], 'manual'


def _groups(rows, products):
    """The contact sheets: {name: list of (image, name, remark)}, by increasing excess."""
    names = REASONS + ('manual-kept', 'manual-dropped')
    groups = collections.OrderedDict((name, []) for name in names)
    pictures = {product.name: product.image for product in products}
    for row in sorted(rows, key=lambda row: row['excess']):
        name = row['reason']
        if name == 'manual':
            name = 'manual-kept' if row['keep'] == 'yes' else 'manual-dropped'
        groups[name].append((pictures[row['image']], row['image'], row['remark']))
    return groups


def summary(counts):
    """The counts of `prune` as a table to print."""
    total = max(1, sum(counts.values()))
    return '\n'.join(f'{name:15} {count:6}  {100 * count / total:5.1f} %'
                     for name, count in list(counts.items()) + [('all', sum(counts.values()))])


def advice(counts, config):
    """What to try where one rule rejects most images, a line; '' where none does.

    counts: those of `prune`; config: its Prune.
    """
    total = sum(counts.values())
    for reason in dict.fromkeys(reason for reason, _, _ in _RULES):
        count = counts.get(reason, 0)
        if count > total / 2:
            options = ' '.join(f"--{name.replace('_', '-')} {getattr(config, name):g}"
                               for each, _, name in _RULES if each == reason)
            return (f'{count} of {total} images are rejected as {reason}; if that is too strict, '
                    f'prune again with other thresholds than {options}')
    return ''


def to_judge(data):
    """The products of a catalogue that `prune` judges, each image once."""
    products = source.with_pictures(source.read(data), data)
    return list({product.name: product for product in products}.values())


def prune(data, out, config):
    """Prune the catalogue at `data`: write prune.csv, prune.json and contact sheets to `out`.

    config: a Prune. Returns the number of images per reason, an ordered dict. Run again, it keeps
    manual edits of the column keep, and measures only new images.
    Raises UserError: no images, or `out` holds the decisions about another catalogue.
    """
    source.check_pictures(data)
    given, data, out = pathlib.Path(data), source.catalogue(data), pathlib.Path(out)
    if data != given and given.resolve() != out.resolve():
        raise UserError(f'{given} holds the decisions about {data}; to prune it again, type --data '
                        f'{shlex.quote(str(data))} --out {shlex.quote(str(given))}')
    products = to_judge(data)
    former = {}
    if decisions.exist(out):
        if decisions.source(out).resolve() != data.resolve():
            raise UserError(f'{out} holds the decisions about {decisions.source(out)}; choose '
                            'another --out')
        former = decisions.read(out)
    records = scores.of(products, out / 'scores.jsonl')
    unreadable = [record for record in records if record['error']]
    if unreadable:
        print(files.printable(
            f"{len(unreadable)} of {len(records)} images cannot be read, the first: "
            f"{unreadable[0]['image']} {unreadable[0]['error']}; see error in {out / 'prune.csv'}"))
    rows = [_judge(record, config) for record in records]
    _mark_duplicates(rows, records, config)
    _decide(rows, former)
    decisions.write(out, [{name: row[name] for name in _COLUMNS} for row in rows],
                    catalogue=data, options=dataclasses.asdict(config))
    groups = _groups(rows, products)
    sheets.write(out / decisions.SHEETS, groups)
    sheets.write_overview(out / decisions.SHEETS / 'overview.jpg', {
        name if name.startswith(('good', 'manual')) else f'dropped, {name}': group
        for name, group in groups.items()})
    return collections.OrderedDict((name, len(group)) for name, group in groups.items() if group)
