"""Whether an image and a text describe the same product, by the predictions of two taggers.

The text must name the category of the image, if it has one, and no other. An attribute is compared
only if the text mentions it and its prediction from the image is confident: the texture of a
fabric, for example, cannot be seen in small images, which calibrated probabilities reflect.
"""

from typing import Dict, List, NamedTuple

from catalog.source import plain
from tagger.image_tagger import ImageTagger
from tagger.text_tagger import TextTagger

CONFIDENT = 0.5  # least probability of a tag
# The usual word order of attributes; other columns follow, the category comes last.
_WORD_ORDER = ('sleeve', 'colour', 'color', 'pattern', 'fabric', 'hem', 'silhouette', 'neckline',
               'length', 'detail')


class Prediction(NamedTuple):
    """What a tagger predicts from an image.

    tags: the confident attributes in the usual word order, the category last; attributes: the most
    probable value of each head, including the category; probabilities: of those values.
    """
    category: str
    tags: List[str]
    attributes: Dict[str, str]
    probabilities: Dict[str, float]


class Comparison(NamedTuple):
    """Whether text and image agree in each head; unjudged: heads too uncertain to compare."""
    agreement: Dict[str, bool]
    unjudged: List[str]

    def wrong(self):
        """How many heads disagree."""
        return sum(not agrees for agrees in self.agreement.values())


def prediction(tags):
    """The Prediction of one image. tags: {head: (value, probability)}, of `ImageTagger.tags`."""
    order = sorted(tags, key=lambda head: (head == 'category', _WORD_ORDER.index(head)
                                           if head in _WORD_ORDER else len(_WORD_ORDER)))
    words = [plain(tags[head][0]) for head in order
             if tags[head][1] >= CONFIDENT or head == 'category']
    return Prediction(category=tags.get('category', ('', 1.0))[0],
                      tags=list(dict.fromkeys(word for word in words if word)),
                      attributes={head: value for head, (value, _) in tags.items()},
                      probabilities={head: round(float(p), 4) for head, (_, p) in tags.items()})


def compare(picture, named):
    """The Comparison of a text with an image.

    picture: Prediction. named: {head: values that the text names}, [] for none, only heads of the
    text tagger. A text that names two values of a head disagrees with any image.
    """
    agreement, unjudged = {}, []
    for head, value in picture.attributes.items():
        values = named.get(head, [])
        if head == 'category' and head in named:
            agreement[head] = values == ([value] if value else [])
        elif len(values) > 1:
            agreement[head] = False
        elif values and picture.probabilities[head] < CONFIDENT:
            unjudged.append(head)
        elif values:
            agreement[head] = values == [value]
    return Comparison(agreement, unjudged)


class ProductTagger:
    """An image tagger and the text tagger beside it.

    path: a tagger.npz; without a texttagger.npz beside it, texts are not compared. threads: CPU
    threads, 0 takes all. Attributes: path, images (ImageTagger), texts (TextTagger or None).
    """

    def __init__(self, path, threads=0):
        self.path, self.images, self.texts = path, ImageTagger(path, threads), None
        beside = path.with_name('texttagger.npz')
        if beside.exists():
            self.texts = TextTagger(beside)

    def describe(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> list of Prediction."""
        return [prediction(tags) for tags in self.images.tags(pictures)]

    def check(self, picture, text):
        """The Comparison of a text with an image (Prediction)."""
        return compare(picture, self.texts.named(text)) if self.texts else Comparison({}, [])


def fits(product):
    """Whether the text of a product agrees with its image in every compared head."""
    return all(product['agreement'].values())


def report(products):
    """How many products agree, before and after resampling, and where they disagree, as text.

    products: dicts as `commands.products.write_products` makes them.
    """
    count, checked = len(products), sum(len(p['agreement']) for p in products)
    after = sum(fits(p) for p in products)
    before = sum(fits(p) and p['redrawn'] == 0 for p in products)
    unjudged, more = [sum(each) for each in zip(*[
        (len(p['unjudged']), p['redrawn']) for p in products])]
    lines = ['text and image agree in category and all mentioned attributes:',
             f'  {before} of {count} at first ({100 * before / count:.1f} %)',
             f'  {after} of {count} after resampling ({100 * after / count:.1f} %), {more} more '
             'texts',
             f'  {checked} statements compared, {unjudged} skipped: uncertain prediction']
    heads = dict.fromkeys(head for p in products for head in p['agreement'])
    for head in heads:
        compared = [p['agreement'][head] for p in products if head in p['agreement']]
        if not all(compared):
            lines.append(f'  {head}: {compared.count(False)} of {len(compared)} disagree')
    return '\n'.join(lines)
