"""The vocabulary of the demo catalogue and the `Garment` record, drawn with a stated imbalance.

A value is also the plain word that stands for it in tags, in the CSV and in prompts, so no word
belongs to two attributes. '' means that the attribute does not apply: a skirt has no sleeves. That
something is absent is a value with a word of its own ('sleeveless', 'plain', 'unadorned'): a prompt
could not ask for it otherwise.
"""

import dataclasses

UNADORNED = 'unadorned'  # the detail of a garment without one, of which descriptions say nothing

# Shares of the catalogue: dresses dominate. Jumpsuits, the rare class, take their own share first.
CATEGORIES = {'dress': 0.66, 'top': 0.14, 'skirt': 0.13, 'trousers': 0.07}
JUMPSUIT_SHARE = 0.03

# Body colours in sRGB and their shares.
COLOURS = {
    'black': (40, 39, 44), 'white': (243, 242, 240), 'grey': (141, 144, 150),
    'beige': (213, 189, 156), 'red': (200, 28, 40), 'pink': (240, 146, 178),
    'orange': (236, 118, 32), 'yellow': (246, 205, 66), 'green': (38, 128, 76),
    'blue': (62, 126, 214), 'navy': (30, 43, 92), 'purple': (124, 66, 158),
}
_COLOUR_SHARES = {
    'black': 0.16, 'white': 0.09, 'grey': 0.05, 'beige': 0.06, 'red': 0.12, 'pink': 0.09,
    'orange': 0.06, 'yellow': 0.07, 'green': 0.09, 'blue': 0.10, 'navy': 0.06, 'purple': 0.05,
}
_PATTERNS = {'plain': 0.46, 'striped': 0.12, 'polka dot': 0.12, 'floral': 0.14, 'checked': 0.08,
             'colour block': 0.08}
_FABRICS = {'cotton': 0.22, 'linen': 0.12, 'jersey': 0.14, 'crepe': 0.14, 'chiffon': 0.12,
            'satin': 0.12, 'velvet': 0.06, 'knit': 0.08}
_NECKLINES = {'round neck': 0.22, 'v-neck': 0.24, 'scoop neck': 0.14, 'square neck': 0.1,
              'boat neck': 0.08, 'sweetheart neck': 0.06, 'halter neck': 0.06, 'high neck': 0.05,
              'collared': 0.05}
_SLEEVES = {'sleeveless': 0.40, 'cap sleeves': 0.10, 'short sleeves': 0.20, 'long sleeves': 0.22,
            'bell sleeves': 0.08}
_LEGS = {'wide-leg': 0.4, 'straight-leg': 0.35, 'tapered': 0.25}
_BARE = {'': 1.0}

# Per category, what each attribute may be and how often; filtered by `wearable`.
CHOICES = {
    'dress': {
        'silhouette': {'a-line': 0.24, 'fit and flare': 0.26, 'sheath': 0.16, 'shift': 0.12,
                       'bodycon': 0.10, 'empire': 0.12},
        'neckline': _NECKLINES, 'sleeve': _SLEEVES,
        'length': {'mini': 0.26, 'knee-length': 0.24, 'midi': 0.28, 'maxi': 0.22},
        'hem': {'straight hem': 0.56, 'asymmetric': 0.16, 'ruffled': 0.12, 'high-low': 0.08,
                'side slit': 0.08},
        'detail': {UNADORNED: 0.5, 'belt': 0.26, 'buttons': 0.12, 'bow': 0.12}},
    'jumpsuit': {
        'silhouette': _LEGS, 'neckline': _NECKLINES, 'sleeve': _SLEEVES,
        'length': {'ankle-length': 0.5, 'full-length': 0.5},
        'hem': {'straight hem': 0.7, 'cuffed': 0.3},
        'detail': {UNADORNED: 0.4, 'belt': 0.4, 'buttons': 0.1, 'bow': 0.1}},
    'top': {
        'silhouette': {'fitted': 0.4, 'relaxed': 0.35, 'peplum': 0.25},
        'neckline': _NECKLINES, 'sleeve': _SLEEVES,
        'length': {'cropped': 0.35, 'hip-length': 0.65},
        'hem': {'straight hem': 0.74, 'asymmetric': 0.14, 'ruffled': 0.12},
        'detail': {UNADORNED: 0.6, 'buttons': 0.25, 'bow': 0.15}},
    'skirt': {
        'silhouette': {'a-line': 0.4, 'pencil': 0.25, 'full': 0.35},
        'neckline': _BARE, 'sleeve': _BARE,
        'length': {'mini': 0.28, 'knee-length': 0.27, 'midi': 0.3, 'maxi': 0.15},
        'hem': {'straight hem': 0.5, 'asymmetric': 0.16, 'ruffled': 0.14, 'high-low': 0.08,
                'side slit': 0.12},
        'detail': {UNADORNED: 0.45, 'belt': 0.25, 'buttons': 0.15, 'bow': 0.15}},
    'trousers': {
        'silhouette': _LEGS, 'neckline': _BARE, 'sleeve': _BARE,
        'length': {'cropped': 0.25, 'ankle-length': 0.35, 'full-length': 0.4},
        'hem': {'straight hem': 0.7, 'cuffed': 0.3},
        'detail': {UNADORNED: 0.5, 'belt': 0.35, 'bow': 0.15}},
}
_EVERY = {'colour': _COLOUR_SHARES, 'pattern': _PATTERNS, 'fabric': _FABRICS}

_NARROW = ('sheath', 'bodycon', 'pencil')
_FINE_PRINTS = ('floral', 'polka dot', 'checked')
_FLOWING = ('linen', 'crepe', 'chiffon', 'satin')


@dataclasses.dataclass(frozen=True)
class Garment:
    """One product; every field holds a word of the vocabulary, or '' where it does not apply."""
    category: str
    silhouette: str
    colour: str
    pattern: str
    neckline: str
    sleeve: str
    length: str
    hem: str
    fabric: str
    detail: str


NAMES = tuple(field.name for field in dataclasses.fields(Garment))


def choices(category):
    """{attribute: {value: share}} of everything but the category itself."""
    return dict(CHOICES[category], **_EVERY)


def vocabulary():
    """{value: attribute} over every word in use, '' left out."""
    words = dict.fromkeys(CHOICES, 'category')
    for category in CHOICES:
        for attribute, values in choices(category).items():
            words.update({value: attribute for value in values if value})
    return words


def wearable(garment):
    """Whether the combination makes sense as clothing and can be told apart in an image."""
    if garment.neckline in ('halter neck', 'sweetheart neck') and garment.sleeve != 'sleeveless':
        return False
    if garment.fabric in ('velvet', 'knit') and garment.pattern in _FINE_PRINTS:
        return False
    if garment.silhouette in _NARROW and garment.hem in ('high-low', 'ruffled'):
        return False
    if garment.silhouette == 'full' and garment.hem == 'side slit':
        return False
    if garment.hem == 'side slit' and garment.length == 'mini':
        return False
    if garment.sleeve == 'bell sleeves' and garment.fabric not in _FLOWING:
        return False
    if garment.detail == 'belt' and garment.silhouette in ('shift', 'empire'):
        return False
    return not (garment.neckline == 'collared' and garment.detail == 'bow')


def _pick(shares, rng):
    """One of the keys of `shares`, as often as its share says."""
    point = rng.uniform() * sum(shares.values())
    for value, share in shares.items():
        point -= share
        if point < 0:
            return value
    return list(shares)[-1]  # by rounding


def draw(rng, *, jumpsuits=JUMPSUIT_SHARE):
    """A random Garment; `jumpsuits` is the share of the rare class. Consumes `rng`."""
    shares = {name: share * (1 - jumpsuits) for name, share in CATEGORIES.items()}
    category = _pick(dict(shares, jumpsuit=jumpsuits), rng)
    while True:
        values = {attribute: _pick(shares, rng)
                  for attribute, shares in sorted(choices(category).items())}
        garment = Garment(category=category, **values)
        if wearable(garment):
            return garment


def tags(garment):
    """The garment's words in the order one says them, the category last: ['red', ..., 'dress']."""
    order = ('sleeve', 'colour', 'pattern', 'fabric', 'hem', 'silhouette', 'neckline', 'length',
             'detail', 'category')
    return [value for value in (getattr(garment, name) for name in order) if value]
