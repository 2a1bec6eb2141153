"""How often editing works: random seeds, random values that are plausible, and what came of it."""

import numpy as np

from dnnlib import progress
from stylegan import tagged

SEEN = 10  # sampled pictures that a value needs to be asked for


def askable(sample, shown):
    """Values that a picture could be asked for: list of (head, value).

    shown: {head: value} of the picture. A value is plausible if it was seen with each other value
    that is shown `tagged.FEWEST` times; the category, the first head, is not asked for, because
    another one leaves nothing to be kept.
    """
    places = {head: tagged.place(sample.heads, head, value) for head, value in shown.items()}
    found = []
    for head in list(sample.heads)[1:]:
        for index, value in enumerate(sample.heads[head]):
            shows = sample.values[head] == index
            if value and value != shown[head] and shows.sum() >= SEEN and all(
                    (sample.values[other][shows] == places[other]).sum() >= tagged.FEWEST
                    for other in places if other != head):
                found.append((head, value))
    return found


def _ask(sample, shown, random):
    """One of the askable values: first the attribute is drawn, then its value."""
    found = askable(sample, shown)
    if not found:
        return None
    heads = sorted({head for head, _ in found})
    asked = heads[random.randint(len(heads))]
    values = [value for head, value in found if head == asked]
    return asked, values[random.randint(len(values))]


def measure(editor, generator, *, count, seed, psi):
    """Edit `count` pictures, one random value each -> list of dicts, one per edit.

    Each tells seed, asked [head, value], hit (is it shown), kept {other head: bool}, how, and
    change: the mean difference of the pictures in grey levels. Pictures that nothing plausible
    can be asked of are passed over.
    """
    random, result = np.random.RandomState([seed, 81]), []
    steps = progress.bar(total=count, what='editing', unit='edit')
    own = seed
    while len(result) < count and own < seed + 4 * count:
        ws = generator.truncate(generator.w(generator.seeded([own])), psi)[0]
        asked = _ask(editor.sample, editor.shows(ws), random)
        if asked:
            result.append(dict(_one(editor, generator, ws, asked, own), seed=own))
            steps.update()
        own += 1
    steps.close()
    return result


def _one(editor, generator, ws, asked, seed):
    head, value = asked
    edit = editor.edit(ws, {head: value}, seed=seed)
    before, after = generator.pictures(np.stack([edit.before, edit.ws])).astype(np.float64)
    return {'asked': [head, value], 'hit': edit.shown[head] == value, 'how': edit.how,
            'kept': {other: edit.shown[other] == edit.shown_before[other]
                     for other in edit.shown if other != head},
            'change': float(np.abs(after - before).mean())}


def _share(values):
    return '%3.0f %%' % (100 * np.mean(values)) if len(values) else '    -'


def summary(result):
    """The shares over all edits: {'edits', 'hit', 'kept', 'all kept', 'hit and all kept', ...}."""
    every = [all(edit['kept'].values()) for edit in result]
    return {'edits': len(result), 'hit': float(np.mean([edit['hit'] for edit in result])),
            'kept': float(np.mean([kept for edit in result for kept in edit['kept'].values()])),
            'all kept': float(np.mean(every)),
            'hit and all kept': float(np.mean([edit['hit'] and all_kept for edit, all_kept
                                               in zip(result, every)])),
            'change': float(np.mean([edit['change'] for edit in result]))}


def table(result):
    """The edits of `measure` per attribute, as text."""
    heads = sorted({head for edit in result for head in [edit['asked'][0]] + list(edit['kept'])})
    lines = ['%-14s %6s %7s %9s %15s' % (
        'attribute', 'asked', 'shown', 'others', 'kept, if others'),
             '%-14s %6s %7s %9s %15s' % ('', 'for', 'then', 'kept', 'are asked for')]
    for head in heads:
        asked = [edit for edit in result if edit['asked'][0] == head]
        lines.append('%-14s %6d %7s %9s %15s' % (
            head, len(asked), _share([edit['hit'] for edit in asked]),
            _share([kept for edit in asked for kept in edit['kept'].values()]),
            _share([edit['kept'][head] for edit in result if head in edit['kept']])))
    total = summary(result)
    return '\n'.join(lines + [
        '', 'of %d edits %.1f %% show the asked value; of the other attributes %.1f %% stay' % (
            total['edits'], 100 * total['hit'], 100 * total['kept']),
        'in %.1f %% of the edits all others stay, in %.1f %% with the asked value shown' % (
            100 * total['all kept'], 100 * total['hit and all kept']),
        'the pictures change by %.1f grey levels on average' % total['change']])
