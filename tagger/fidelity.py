"""Attributes of generated pictures beside those of real ones, as taggers classify them.

Two taggers that learnt from different data agree on a picture whose attributes are clear; how often
they agree on real pictures is the floor.
"""

HEADS = ('category', 'colour', 'sleeve', 'length', 'neckline', 'pattern')  # those that people see
_PLAIN = ('pattern', 'plain')  # what most garments are, and a poor generator draws too seldom


def _values(tagger, pictures):
    """{head: index of the likeliest value, int [n]}."""
    return {head: p.argmax(1) for head, p in tagger.probabilities(pictures).items()}


def _figures(tagger, judge, pictures):
    first, found = _values(tagger, pictures), {}
    if judge is not None and judge.heads == tagger.heads:
        second = _values(judge, pictures)
        for head in HEADS:
            if head in first:
                found[f'agreement_{head}'] = float((first[head] == second[head]).mean())
        if found:
            found['agreement'] = sum(found.values()) / len(found)
    head, plain = _PLAIN
    if plain in tagger.heads.get(head, ()):
        found['plain'] = float((first[head] == tagger.heads[head].index(plain)).mean())
    return found


def figures(tagger, judge, fakes, reals):
    """{name: {'value': of fakes, 'floor': of reals}}, shares in 0..1.

    tagger, judge: image_tagger.ImageTagger; judge may be None, or have other heads: then there is
    no agreement. agreement_HEAD: how often both give the same value; agreement: their mean; plain:
    the share of garments without a pattern, for taggers that know it.
    """
    values, floors = [_figures(tagger, judge, pictures) for pictures in (fakes, reals)]
    return {name: {'value': values[name], 'floor': floors[name]} for name in values}
