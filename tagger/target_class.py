"""The target class: how its name is parsed, which products and images belong to it.

A `target` is a dict {head: value} of a tagger's heads, such as {'category': 'jumpsuit', 'colour':
'black'}.
"""

import numpy as np

from dnnlib import knobs
from dnnlib.files import UserError
from tagger import labels

_SPELLINGS = {'color': 'colour', 'colour': 'color'}  # both are accepted


def _listed(values):
    return ', '.join(value or "''" for value in values)


def _value(heads, head, text):
    """(head, value) for `text`: the value itself or the beginning of exactly one value."""
    head = head if head in heads else _SPELLINGS.get(head, head)
    if head not in heads:
        raise UserError(f"there is no attribute '{head}'; {knobs.did_you_mean(head, heads)}known "
                        f"are: {', '.join(heads)}")
    found = [value for value in heads[head] if value == text] or [
        value for value in heads[head] if text and value.startswith(text)]
    if len(found) != 1:
        raise UserError(f"{head} has no value '{text}'; {knobs.did_you_mean(text, heads[head])}"
                        f'known are: {_listed(heads[head])}')
    return head, found[0]


def parse(heads, category='', where=''):
    """The target {head: value}; heads: {name: values} of a tagger.

    category: a category, or a value of any attribute; where: 'head=value,head=value'. Raises
    UserError that lists the known ones.
    """
    target = {}
    if category:
        found = [head for head, values in heads.items() if category in values]
        if not found:
            main, others = next(iter(heads)), ', '.join(list(heads)[1:])
            near = knobs.did_you_mean(category, [v for values in heads.values() for v in values])
            raise UserError(f"there is no '{category}'; {near}known are: {main}: "
                            f'{_listed(heads[main])}'
                            + (f'; or a value of {others}' if others else ''))
        if len(found) > 1 and 'category' not in found:
            raise UserError(f"'{category}' is a value of {' and '.join(found)}; say which with "
                            f'--where {found[0]}={category}')
        target['category' if 'category' in found else found[0]] = category
    for part in filter(None, (part.strip() for part in where.split(','))):
        head, equals, text = part.partition('=')
        if not equals:
            raise UserError(f"--where '{part}' is not of the form category=jumpsuit,colour=black")
        head, value = _value(heads, head.strip(), text.strip())
        if target.setdefault(head, value) != value:
            raise UserError(f"{head} cannot be both '{target[head]}' and '{value}'; leave one "
                            'out')
    if not target:
        raise UserError('no class is named; add --category NAME or --where HEAD=VALUE')
    return target


def among(products, target):
    """Indices of the products (catalog.source.Product) of the target class."""
    return [index for index, product in enumerate(products)
            if target.items() <= dict(product.attributes, category=product.category).items()]


def chosen(products, category, where):
    """The products of a class, named as for `parse`. Raises UserError if there are none."""
    heads = labels.heads_of(products)
    if not heads:
        raise UserError('the catalogue has neither two categories nor an attribute column to '
                        'choose by; leave --category and --where out')
    target = parse(heads, category, where)
    found = among(products, target)
    if not found:
        every = ', '.join(f'{head}={value}' for head, value in target.items())
        raise UserError(f'none of the {len(products)} products is all of {every}; name fewer '
                        'attributes')
    return [products[index] for index in found]


def probability(probabilities, heads, target):
    """The probability of the target class, [n]: the least of those of its heads.

    probabilities: {head: float [n, values]}, predictions for images.
    """
    return np.min([probabilities[head][:, heads[head].index(value)]
                   for head, value in target.items()], axis=0)


def _views(pictures):
    """Augmented copies of uint8 [n, h, w, 3]: flipped, moved, blurred and darkened."""
    height, width = pictures.shape[1:3]
    yield pictures[:, :, ::-1]
    yield np.roll(pictures, max(1, height // 20), 1)
    yield np.roll(pictures, -max(1, width // 20), 2)
    framed = np.pad(pictures, [(0, 0), (1, 1), (1, 1), (0, 0)], 'edge').astype(np.float32)
    yield np.uint8(np.mean([framed[:, y:y + height, x:x + width]
                            for y in range(3) for x in range(3)], axis=0))
    yield np.uint8(pictures * 0.85)


class Scorer:
    """Scores images by the least probability that a tagger gives to several augmented views.

    Selection by a classifier favours images that fool it; these seldom fool it once they are
    flipped or blurred. tagger: tagger.image_tagger.ImageTagger. sure: an image below this
    probability is not scored in further views.
    """

    def __init__(self, tagger, target, sure):
        self._tagger, self._target, self._sure = tagger, target, sure

    def scores(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> float [n] in 0..1."""
        result = self._once(pictures)
        for view in _views(pictures):
            left = np.flatnonzero(result >= self._sure)
            if len(left):
                result[left] = np.minimum(result[left], self._once(view[left]))
        return result

    def _once(self, pictures):
        return probability(self._tagger.probabilities(pictures), self._tagger.heads, self._target)
