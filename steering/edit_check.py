"""How often editing works: random seeds, random values that are plausible, and what came of it."""

import json

import numpy as np

from dnnlib import files, progress
from stylegan import labelled

SEEN = 10  # sampled pictures that a value needs to be asked for


def askable(sample, shown):
    """Values that a picture could be asked for: list of (head, value).

    shown: {head: value} of the picture. A value is plausible if it was seen with each other value
    that is shown `tagged.FEWEST` times; the category, the first head, is not asked for, because
    another one leaves nothing to be kept.
    """
    places = {head: labelled.place(sample.heads, head, value) for head, value in shown.items()}
    found = []
    for head in list(sample.heads)[1:]:
        for index, value in enumerate(sample.heads[head]):
            shows = sample.values[head] == index
            if value and value != shown[head] and shows.sum() >= SEEN and all(
                    (sample.values[other][shows] == places[other]).sum() >= labelled.FEWEST
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


def measure(editor, generator, log, *, count, seed, psi, made, judge=None):
    """Edit `count` pictures, one random value each -> list of dicts, one per edit.

    log:   file to which each edit goes as one line of JSON. What it holds already is not made
           again, if its first line says that it was made alike: see `made`.
    made:  JSON-able facts on generator, taggers and search.
    judge: function pictures -> {head: probabilities} of somebody else with the same heads.
    Each tells seed, asked [head, value], hit (is it shown), kept {other head: bool}, how, change
    (the mean difference of the pictures in grey levels), and with a judge judged {hit, kept} and
    agreed, the share of attributes of the picture before in which both see the same.
    Pictures that nothing plausible can be asked of are passed over.
    """
    result = _logged(log, dict(made, seed=seed, psi=psi))[:count]
    own = result[-1]['seed'] + 1 if result else seed
    steps = progress.bar(total=count, initial=len(result), what='editing', unit='edit')
    while len(result) < count and own < seed + 4 * count:
        ws = generator.truncate(generator.w(generator.seeded([own])), psi)[0]
        asked = _ask(editor.sample, editor.shows(ws), np.random.RandomState([own, 81]))
        if asked:
            edit = editor.edit(ws, dict([asked]), seed=own)
            result.append(dict(_told(edit, asked, generator, editor.heads, judge), seed=own))
            with open(str(log), 'a', encoding='utf-8') as lines:
                lines.write(json.dumps(result[-1]) + '\n')
            steps.update()
        own += 1
    steps.close()
    return result


def _logged(log, made):
    """The edits in a log that was made alike; any other one is begun anew."""
    made = json.loads(json.dumps(made))
    if log.exists():
        first, *edits = [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()]
        if first == made:
            return edits
    files.write_text(log, json.dumps(made) + '\n')
    return []


def _told(edit, asked, generator, heads, judge):
    pictures = generator.pictures(np.stack([edit.before, edit.ws]))
    change = np.abs(np.diff(pictures.astype(np.float64), axis=0)).mean()
    told = dict(_outcome(edit.shown_before, edit.shown, asked), asked=list(asked), how=edit.how,
                change=round(float(change), 3))
    if judge:
        seen = judge(pictures)
        shown = [{head: heads[head][int(seen[head][index].argmax())] for head in heads}
                 for index in (0, 1)]
        told['judged'] = _outcome(shown[0], shown[1], asked)
        told['agreed'] = float(np.mean([shown[0][head] == edit.shown_before[head]
                                        for head in heads]))
    return told


def _outcome(before, after, asked):
    return {'hit': after[asked[0]] == asked[1],
            'kept': {head: after[head] == before[head] for head in after if head != asked[0]}}


def _share(values):
    return f'{100 * np.mean(values):3.0f} %' if len(values) else '    -'


def summary(result):
    """The shares over all edits: {'edits', 'hit', 'kept', 'all kept', 'hit and all kept'}."""
    every = [all(edit['kept'].values()) for edit in result]
    both = [edit['hit'] and kept for edit, kept in zip(result, every)]
    return {'edits': len(result), 'hit': float(np.mean([edit['hit'] for edit in result])),
            'kept': float(np.mean([kept for edit in result for kept in edit['kept'].values()])),
            'all kept': float(np.mean(every)), 'hit and all kept': float(np.mean(both))}


def judged(result):
    """The edits as the judge saw them, or [] where there was none."""
    return [dict(edit, **edit['judged']) for edit in result if 'judged' in edit]


def _sentences(result):
    total = summary(result)
    return ['of %d edits %.1f %% show the asked value; of the other attributes %.1f %% stay' % (
                total['edits'], 100 * total['hit'], 100 * total['kept']),
            'in %.1f %% of the edits all others stay, in %.1f %% with the asked value shown' % (
                100 * total['all kept'], 100 * total['hit and all kept'])]


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
    lines += [''] + _sentences(result) + ['the pictures change by %.1f grey levels on average' %
                                          np.mean([edit['change'] for edit in result])]
    if judged(result):
        agreed = 100 * np.mean([edit['agreed'] for edit in result])
        lines += ['', 'as a second tagger sees it, which agrees with the first in %.1f %% of the '
                  'attributes before:' % agreed] + _sentences(judged(result))
    return '\n'.join(lines)
