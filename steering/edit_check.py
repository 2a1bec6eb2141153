"""The success rate of editing: random seeds and random plausible target values."""

import json

import numpy as np

from dnnlib import files, progress
from dnnlib.files import UserError
from stylegan import labelled

FEWEST = 10  # sampled images that must show a value for it to be a target


def plausible_values(sample, shown):
    """Plausible target values for an image: list of (head, value).

    shown: {head: value} of the image. A value of a visible head is plausible if the sample
    combines it with each other value of the image `labelled.FEWEST` times. The category, the first
    head, is left out: a change of category changes the other attributes too.
    """
    indices = {head: sample.value_index(head, shown[head]) for head in sample.visible()}
    category, found = next(iter(sample.heads)), []
    for head, own in indices.items():
        for index, value in enumerate(sample.heads[head]):
            shows = sample.values[head] == index
            if value and head != category and index != own and (
                    shows.sum() >= FEWEST and all(
                        (sample.values[other][shows] == indices[other]).sum() >= labelled.FEWEST
                        for other in indices if other != head)):
                found.append((head, value))
    return found


def _random_target(sample, shown, rng):
    """A plausible (head, value): first a random head, then one of its values; None without any."""
    found = plausible_values(sample, shown)
    if not found:
        return None
    heads = sorted({head for head, _ in found})
    chosen = heads[rng.randint(len(heads))]
    values = [value for head, value in found if head == chosen]
    return chosen, values[rng.randint(len(values))]


def measure(editor, log, *, count, seed, psi, models, judge=None):
    """Edit `count` images, one random target value each -> list of dicts, one per edit.

    log:    file to which each edit is appended as a line of JSON. It is resumed if its first line
            has the same models, seed and psi.
    models: JSON-able facts that identify generator, taggers and search.
    judge:  a second tagger with the same heads, or None.
    Each dict has seed, wanted [head, value], hit (is it shown), kept {other head: bool}, method,
    change (mean absolute difference of the images in grey levels), and with a judge judged {hit,
    kept} and agreed, the fraction of heads in which both taggers agree before the edit.
    Images without a plausible target are skipped.
    """
    result = _logged(log, dict(models, seed=seed, psi=psi))[:count]
    tried = (result[-1]['seed'] - seed) % 2 ** 32 + 1 if result else 0
    steps = progress.bar(total=count, initial=len(result), what='editing', unit='edit')
    generator = editor.generator
    while len(result) < count and tried < 4 * count:
        own = (seed + tried) % 2 ** 32
        ws = generator.truncate(generator.w(generator.seeded([own])), psi)[0]
        target = _random_target(editor.sample, editor.shows(ws), np.random.RandomState([own, 81]))
        if target:
            edit = editor.edit(ws, dict([target]))
            result.append(dict(_described(editor, edit, target, judge), seed=own))
            with open(str(log), 'a', encoding='utf-8') as lines:
                lines.write(json.dumps(result[-1]) + '\n')
            steps.update()
        tried += 1
    steps.close()
    if not result:
        raise UserError('no edit could be tried: none of the images has a plausible target value; '
                        'find directions in more images, with directions --count')
    return result


def _logged(log, header):
    """The edits in a log with this header; any other log is replaced by an empty one.

    An incomplete last line, left by a stopped process, is dropped.
    """
    header = json.loads(json.dumps(header))
    if log.exists():
        lines = files.read_text(log).split('\n')
        try:
            first, edits = json.loads(lines[0]), [json.loads(line) for line in lines[1:-1]]
        except ValueError:
            first, edits = None, []
        if first == header:
            if lines[-1]:
                files.write_text(log, '\n'.join(lines[:-1]) + '\n')
            return edits
    files.write_text(log, json.dumps(header) + '\n')
    return []


def _described(editor, edit, target, judge):
    pictures = editor.generator.pictures(np.stack([edit.before, edit.ws]))
    change = np.abs(np.diff(pictures.astype(np.float64), axis=0)).mean()
    result = dict(_outcome(edit.shown_before, edit.shown, target), wanted=list(target),
                  method=edit.method, change=round(float(change), 3))
    if judge:
        found = judge.probabilities(pictures)
        shown = [{head: judge.heads[head][int(found[head][index].argmax())]
                  for head in editor.heads} for index in (0, 1)]
        result['judged'] = _outcome(shown[0], shown[1], target)
        result['agreed'] = float(np.mean([shown[0][head] == edit.shown_before[head]
                                          for head in editor.heads]))
    return result


def _outcome(before, after, target):
    return {'hit': after[target[0]] == target[1],
            'kept': {head: after[head] == before[head] for head in after if head != target[0]}}


def _percent(values):
    return f'{100 * np.mean(values):3.0f} %' if len(values) else '    -'


def summary(result):
    """Rates over all edits: {'edits', 'hit', 'kept', 'all kept', 'hit and all kept'}."""
    every = [all(edit['kept'].values()) for edit in result]
    both = [edit['hit'] and kept for edit, kept in zip(result, every)]
    return {'edits': len(result), 'hit': float(np.mean([edit['hit'] for edit in result])),
            'kept': float(np.mean([kept for edit in result for kept in edit['kept'].values()])),
            'all kept': float(np.mean(every)), 'hit and all kept': float(np.mean(both))}


def judged(result):
    """The edits as the judge classified them, or [] without one."""
    return [dict(edit, **edit['judged']) for edit in result if 'judged' in edit]


def _sentences(result):
    total = {key: 100 * value for key, value in summary(result).items()}
    return [f"of {len(result)} edits {total['hit']:.1f} % show the target value; of the other "
            f"attributes {total['kept']:.1f} % are kept",
            f"in {total['all kept']:.1f} % of the edits all others are kept, in "
            f"{total['hit and all kept']:.1f} % with the target value shown"]


def table(result):
    """The edits of `measure` per attribute, as text."""
    heads = sorted({head for edit in result for head in [edit['wanted'][0]] + list(edit['kept'])})
    lines = [f"{'attribute':14} {'edits':>6} {'shown':>7} {'others':>9} {'kept in':>15}",
             f"{'':14} {'':6} {'then':>7} {'kept':>9} {'other edits':>15}"]
    for head in heads:
        own = [edit for edit in result if edit['wanted'][0] == head]
        hits = _percent([edit['hit'] for edit in own])
        others = _percent([kept for edit in own for kept in edit['kept'].values()])
        kept = _percent([edit['kept'][head] for edit in result if head in edit['kept']])
        lines.append(f'{head:14} {len(own):6} {hits:>7} {others:>9} {kept:>15}')
    change = np.mean([edit['change'] for edit in result])
    lines += [''] + _sentences(result) + [
        f'the images change by {change:.1f} grey levels on average']
    if judged(result):
        agreed = 100 * np.mean([edit['agreed'] for edit in result])
        lines += ['', f'by a second tagger, which agrees with the first in {agreed:.1f} % of the '
                  'attributes before the edits:'] + _sentences(judged(result))
    return '\n'.join(lines)
