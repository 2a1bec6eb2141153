"""How often editing works: random seeds, random plausible values, and what the edits changed."""

import json

import numpy as np

from dnnlib import files, progress
from dnnlib.files import UserError
from stylegan import labelled

SEEN = 10  # sampled images that must show a value before an edit sets it


def plausible_values(sample, shown):
    """Values that an edit of an image could set: list of (head, value).

    shown: {head: value} of the image. A value is plausible if the sample combines it with each
    other value of the image `labelled.FEWEST` times; the category, the first head, is left out,
    because another one leaves nothing to keep.
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


def _wanted(sample, shown, rng):
    """One of the plausible values: first a random attribute, then one of its values; or None."""
    found = plausible_values(sample, shown)
    if not found:
        return None
    heads = sorted({head for head, _ in found})
    wanted = heads[rng.randint(len(heads))]
    values = [value for head, value in found if head == wanted]
    return wanted, values[rng.randint(len(values))]


def measure(editor, log, *, count, seed, psi, made, judge=None):
    """Edit `count` images, one random value each -> list of dicts, one per edit.

    log:   file to which each edit is appended as a line of JSON. Edits that it holds are not
           repeated if its first line says that they were made with the same `made`, seed and psi.
    made:  JSON-able facts that identify generator, taggers and search.
    judge: a second tagger with the same heads, or None.
    Each dict has seed, wanted [head, value], hit (is it shown), kept {other head: bool}, method,
    change (mean absolute difference of the images in grey levels), and with a judge judged {hit,
    kept} and agreed, the share of attributes that both taggers see alike before the edit.
    Images without a plausible value are skipped.
    """
    result = _logged(log, dict(made, seed=seed, psi=psi))[:count]
    own = result[-1]['seed'] + 1 if result else seed
    steps = progress.bar(total=count, initial=len(result), what='editing', unit='edit')
    generator = editor.generator
    while len(result) < count and own < seed + 4 * count:
        ws = generator.truncate(generator.w(generator.seeded([own])), psi)[0]
        wanted = _wanted(editor.sample, editor.shows(ws), np.random.RandomState([own, 81]))
        if wanted:
            edit = editor.edit(ws, dict([wanted]), seed=own)
            result.append(dict(_described(editor, edit, wanted, judge), seed=own))
            with open(str(log), 'a', encoding='utf-8') as lines:
                lines.write(json.dumps(result[-1]) + '\n')
            steps.update()
        own += 1
    steps.close()
    if not result:
        raise UserError('no edit could be tried: no value is plausible for any of the images; '
                        'find directions in more images, with directions --count')
    return result


def _logged(log, made):
    """The edits of a log that was made alike; any other log is started anew.

    A last line that a stopped process has cut off is dropped.
    """
    made = json.loads(json.dumps(made))
    if log.exists():
        lines = files.read_text(log).split('\n')
        try:
            first, edits = json.loads(lines[0]), [json.loads(line) for line in lines[1:-1]]
        except ValueError:
            first, edits = None, []
        if first == made:
            if lines[-1]:
                files.write_text(log, '\n'.join(lines[:-1]) + '\n')
            return edits
    files.write_text(log, json.dumps(made) + '\n')
    return []


def _described(editor, edit, wanted, judge):
    pictures = editor.generator.pictures(np.stack([edit.before, edit.ws]))
    change = np.abs(np.diff(pictures.astype(np.float64), axis=0)).mean()
    result = dict(_outcome(edit.shown_before, edit.shown, wanted), wanted=list(wanted),
                  method=edit.method, change=round(float(change), 3))
    if judge:
        found = judge.probabilities(pictures)
        shown = [{head: values[int(found[head][index].argmax())]
                  for head, values in judge.heads.items()} for index in (0, 1)]
        result['judged'] = _outcome(shown[0], shown[1], wanted)
        result['agreed'] = float(np.mean([shown[0][head] == edit.shown_before[head]
                                          for head in judge.heads]))
    return result


def _outcome(before, after, wanted):
    return {'hit': after[wanted[0]] == wanted[1],
            'kept': {head: after[head] == before[head] for head in after if head != wanted[0]}}


def _percent(values):
    return f'{100 * np.mean(values):3.0f} %' if len(values) else '    -'


def summary(result):
    """The shares over all edits: {'edits', 'hit', 'kept', 'all kept', 'hit and all kept'}."""
    every = [all(edit['kept'].values()) for edit in result]
    both = [edit['hit'] and kept for edit, kept in zip(result, every)]
    return {'edits': len(result), 'hit': float(np.mean([edit['hit'] for edit in result])),
            'kept': float(np.mean([kept for edit in result for kept in edit['kept'].values()])),
            'all kept': float(np.mean(every)), 'hit and all kept': float(np.mean(both))}


def judged(result):
    """The edits as the judge classified them, or [] where there was none."""
    return [dict(edit, **edit['judged']) for edit in result if 'judged' in edit]


def _sentences(result):
    total = {key: 100 * value for key, value in summary(result).items()}
    return [f"of {len(result)} edits {total['hit']:.1f} % show the wanted value; of the other "
            f"attributes {total['kept']:.1f} % are kept",
            f"in {total['all kept']:.1f} % of the edits all others are kept, in "
            f"{total['hit and all kept']:.1f} % with the wanted value shown"]


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
