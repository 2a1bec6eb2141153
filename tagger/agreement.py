"""Do a picture and a text show the same product? Tags off the picture against what the text says.

The category must be named and be the picture's. Of the attributes those count that the text
mentions and that the picture shows surely enough to be judged: the texture of a fabric is beyond
small pictures, and a tagger with calibrated probabilities knows that.
"""

from typing import Dict, List, NamedTuple

from catalog.source import plain
from tagger.image_tagger import Tagger
from tagger.text_tagger import TextTagger

SURE = 0.5  # a tag is what the picture shows from this probability on
# The order in which one says attributes; columns of other names follow, the category comes last.
_SPOKEN = ('sleeve', 'colour', 'color', 'pattern', 'fabric', 'hem', 'silhouette', 'neckline',
           'length', 'detail')


class Seen(NamedTuple):
    """What a picture shows.

    tags: the sure attributes in speaking order, the category last; attributes: the likeliest
    value of every head, the category included; probabilities: how likely those are.
    """
    category: str
    tags: List[str]
    attributes: Dict[str, str]
    probabilities: Dict[str, float]


class Verdict(NamedTuple):
    """Whether text and picture agree, head by head, and which heads the picture leaves open."""
    agreement: Dict[str, bool]
    unjudged: List[str]

    def wrong(self):
        """How many heads disagree."""
        return sum(not agrees for agrees in self.agreement.values())


def seen(tags):
    """The Seen of one picture. tags: {head: (value, probability)}, as `Tagger.tags` gives them."""
    order = sorted(tags, key=lambda head: (head == 'category', _SPOKEN.index(head)
                                           if head in _SPOKEN else len(_SPOKEN)))
    words = [plain(tags[head][0]) for head in order if tags[head][1] >= SURE or head == 'category']
    return Seen(category=tags.get('category', ('', 1.0))[0],
                tags=list(dict.fromkeys(word for word in words if word)),
                attributes={head: value for head, (value, _) in tags.items()},
                probabilities={head: round(float(p), 4) for head, (_, p) in tags.items()})


def judge(picture, said):
    """The Verdict on a text.

    picture: Seen. said: {head: values that the text names}, [] for what it leaves out, and no
    entry for what is not known of texts. A text that names two values of one head contradicts
    itself, and so the picture.
    """
    agreement, unjudged = {}, []
    for head, value in picture.attributes.items():
        values = said.get(head, [])
        if head == 'category' and head in said:
            agreement[head] = values == [value]
        elif len(values) > 1:
            agreement[head] = False
        elif values and picture.probabilities[head] < SURE:
            unjudged.append(head)
        elif values:
            agreement[head] = values == [value]
    return Verdict(agreement, unjudged)


class ProductTagger:
    """An image tagger and the text tagger beside it: what pictures show, and whether texts agree.

    path: a tagger.npz; without a texttagger.npz beside it no text is compared. threads: CPU
    threads, 0 takes all. Attributes: path, images (a Tagger), texts (a TextTagger or None).
    """

    def __init__(self, path, threads=0):
        self.path, self.images, self.texts = path, Tagger(path, threads), None
        beside = path.with_name('texttagger.npz')
        if beside.exists():
            self.texts = TextTagger(beside)

    def describe(self, pictures):
        """uint8 [n, h, w, 3], n > 0 -> list of Seen."""
        return [seen(tags) for tags in self.images.tags(pictures)]

    def check(self, picture, text):
        """The Verdict on a text about a picture (Seen)."""
        return judge(picture, self.texts.said(text)) if self.texts else Verdict({}, [])


def fits(product):
    """Whether the text of a product agrees with its picture in everything that was judged."""
    return all(product['agreement'].values())


def report(products):
    """How many products agree, before and after redrawing, and in what they do not: lines.

    products: dicts as `fakes.write` makes them.
    """
    count, checked = len(products), sum(len(p['agreement']) for p in products)
    after = sum(fits(p) for p in products)
    before = sum(fits(p) and p['redrawn'] == 0 for p in products)
    open_ = sum(len(p['unjudged']) for p in products)
    lines = ['text and picture agree in category and all mentioned attributes:',
             '  %d of %d at first (%.1f %%)' % (before, count, 100 * before / count),
             '  %d of %d after redrawing (%.1f %%), %d texts more' % (
                 after, count, 100 * after / count, sum(p['redrawn'] for p in products)),
             '  %d statements compared, %d not: the picture is too unsure' % (checked, open_)]
    heads = dict.fromkeys(head for p in products for head in p['agreement'])
    for head in heads:
        verdicts = [p['agreement'][head] for p in products if head in p['agreement']]
        if not all(verdicts):
            lines.append('  %s: %d of %d disagree' % (
                head, len(verdicts) - sum(verdicts), len(verdicts)))
    return '\n'.join(lines)
