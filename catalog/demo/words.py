"""Garment -> product description, and back: what a description says about a garment.

`describe` writes sentences, a bullet list, or both; it names every attribute exactly once, with the
few phrases that `parse` knows, among many that say nothing about attributes. `check_report` tells
how consistent the texts of a trained model are.
"""

import re

import numpy as np

from catalog.demo import attributes, phrases

# What every description names, wherever the category has it; the detail only if there is one.
REQUIRED = ('category', 'colour', 'pattern', 'neckline', 'sleeve', 'silhouette', 'length', 'hem',
            'fabric')


def _normal(text):
    return ' '.join(re.sub(r'[-_\s]+', ' ', text.lower()).split())


def _reader():
    """(pattern, {phrase: (attribute, value)}); the longest phrase at a place wins."""
    meaning = {}
    for value, attribute in attributes.vocabulary().items():
        for name in (value,) + tuple(phrases.NAMES.get(value, ())):
            meaning[_normal(name)] = attribute, value
    longest = sorted(meaning, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)"), meaning


_PATTERN, _MEANING = _reader()


def mentions(text):
    """{attribute: [values in order, each once]} of everything the text names."""
    found = {}
    for phrase in _PATTERN.findall(_normal(text)):
        attribute, value = _MEANING[phrase]
        values = found.setdefault(attribute, [])
        if value not in values:
            values.append(value)
    return found


def parse(text):
    """{attribute: value} that a description or a prompt names; of several values the first."""
    return {attribute: values[0] for attribute, values in mentions(text).items()}


def contradictions(text):
    """What cannot be true together, one line each: two colours, or sleeves on a skirt."""
    found = mentions(text)
    lines = [f"{attribute}: {' and '.join(values)}"
             for attribute, values in found.items() if len(values) > 1]
    if 'category' not in found:
        return lines
    category = found['category'][0]
    for attribute, possible in attributes.choices(category).items():
        lines += [f'{attribute}: no {category} is {value}'
                  for value in found.get(attribute, ()) if value not in possible]
    return lines


def missing(text):
    """The attributes a full description of that category would name and this one does not."""
    found = parse(text)
    if 'category' not in found:
        return ['category']
    possible = attributes.choices(found['category'])
    return [name for name in REQUIRED[1:] if name not in found and '' not in possible[name]]


def consistent(text):
    """Whether the text describes one possible garment completely and without contradiction."""
    return not missing(text) and not contradictions(text)


def agrees(text, tags):
    """Disagreements between a text and tags such as ['red', 'midi', 'dress'], one line each.

    A tag that the text does not name counts, except for `attributes.UNADORNED`, of which texts say
    nothing; words that are no attribute are ignored.
    """
    found = mentions(text)
    lines = []
    for attribute, expected in mentions('; '.join(tags)).items():
        values = found.get(attribute, [value for value in expected
                                       if value == attributes.UNADORNED])
        said = ' and '.join(values) or 'nothing'
        lines += [f'{attribute}: {value} expected, text says {said}'
                  for value in expected if values != [value]]
    return lines


def _sentence(text):
    """The text as a sentence: 'a' becomes 'an' before a vowel, a capital first, one full stop."""
    text = re.sub(r'\b([Aa]) (?=[aeiouAEIOU])', r'\1n ', text)
    return f'{text[0].upper()}{text[1:]}.'


def _item(text):
    return f'- {text[0].upper()}{text[1:]}'


def _slots(garment, pick, fabric):
    """What the frames of sentences are filled with."""
    legs = garment.category in ('jumpsuit', 'trousers')
    length = garment.length.replace('-length', '')
    return {
        'opening': pick(phrases.OPENINGS), 'mood': pick(phrases.MOODS),
        'feel': pick(phrases.FEELS), 'colour': garment.colour,
        'pattern': pick(('plain', 'solid')) if garment.pattern == 'plain' else garment.pattern,
        'fabric': garment.fabric if fabric else pick(('fabric', 'material', 'cloth')),
        'category': 'pair of trousers' if garment.category == 'trousers' else garment.category,
        'silhouette': garment.silhouette + (' cut' if legs else pick((' shape', ' silhouette'))),
        'length': f'{length} length', 'reach': garment.length,
        'hem': pick(phrases.HEMS[garment.hem]),
        'neck': f"a {pick(phrases.NECKS.get(garment.neckline, ('',)))}",
        'sleeve': garment.sleeve, 'sleeved': garment.sleeve.replace(' sleeves', '-sleeved')}


def _opening(garment, slots, pick, full):
    frames = phrases.FULL_OPENERS if full else phrases.BRIEF_OPENERS
    frame = pick(frames)
    if not garment.sleeve:
        frame = frame.replace('{sleeved} and ', '').replace('{sleeved} ', '')
    return _sentence(frame.format(**slots))


def _shape_sentences(garment, slots, pick, full):
    """The sentences about neckline and sleeves, silhouette, length and hem, and the detail."""
    lines = []
    if garment.neckline:
        upper = phrases.UPPER_SLEEVELESS if garment.sleeve == 'sleeveless' else phrases.UPPER
        lines.append(pick(phrases.UPPER_NECK if full else upper))
    lines.append(pick(phrases.LOWER_HEM if full else phrases.LOWER))
    if garment.detail != attributes.UNADORNED:
        lines.append(pick(phrases.DETAILS[garment.detail]))
    return [_sentence(line.format(**slots)) for line in lines]


def _shape_items(garment, slots, pick, full):
    """The same as items of a list."""
    items = [slots['silhouette'], re.sub('^an? ', '', slots['hem'])]
    if garment.neckline:
        items.append(slots['neck'][2:])
    if not full:
        items += [slots['length']] + [value for value in [garment.sleeve] if value]
    if garment.detail != attributes.UNADORNED:
        items.append(pick(phrases.DETAIL_ITEMS[garment.detail]))
    return items


def _story(pick, rng):
    """Two or three sentences that praise."""
    def two(frames, things):
        first, second = rng.permutation(len(things))[:2]
        return pick(frames).format(things[first], things[second])

    lines = [pick(phrases.PRAISES), two(phrases.OCCASION_FRAMES, phrases.OCCASIONS),
             two(phrases.STYLING_FRAMES, phrases.PARTNERS)]
    order = rng.permutation(3)[:rng.randint(2, 4)]
    return [_sentence(lines[i]) for i in order]


def _facts(garment, pick, rng, fabric):
    """Fabric if not named yet, fit, model, making, care and origin, as on a product page."""
    model = pick(phrases.MODELS).format(height=pick(phrases.HEIGHTS), size=pick(phrases.SIZES))
    facts = [pick(phrases.FITS), model, pick(phrases.EXTRAS), pick(phrases.CARES)]
    keep = rng.uniform(size=4) < (0.7, 0.6, 0.6, 0.9)
    facts = [fact for fact, kept in zip(facts, keep) if kept]
    if not fabric:
        facts.insert(0, pick(phrases.COMPOSITIONS[garment.fabric]))
    return facts + [pick(phrases.ORIGINS)]


def describe(garment, rng):
    """A description of the garment, ASCII with newlines inside. Consumes `rng`.

    Three forms: praise and a list of everything, sentences and a list of facts, sentences only.
    """
    def pick(options):
        return options[rng.randint(len(options))]

    form = pick(('list', 'list', 'facts', 'facts', 'prose'))
    full, fabric = rng.uniform(size=2) < (0.5, 0.5)
    slots = _slots(garment, pick, fabric)
    opening, story = _opening(garment, slots, pick, full), _story(pick, rng)
    facts = _facts(garment, pick, rng, fabric)
    if form == 'list':
        items = _shape_items(garment, slots, pick, full) + facts
        return '\n'.join([' '.join([opening] + story[:2])] + [_item(item) for item in items])
    shape = _shape_sentences(garment, slots, pick, full)
    if form == 'facts':
        first = ' '.join([opening] + shape + story[:2])
        return '\n'.join([first] + [_item(fact) for fact in facts])
    return f"{' '.join([opening] + shape + story)}\n{' '.join(_sentence(fact) for fact in facts)}"


def random_prompts(count, seed):
    """`count` lists of two to four attributes of garments that exist, the category last."""
    result = []
    for index in range(count):
        rng = np.random.RandomState([seed, index])
        garment = attributes.draw(rng)
        others = [tag for tag in attributes.tags(garment) if tag != garment.category]
        chosen = rng.permutation(others)[:rng.randint(1, 4)]
        result.append([str(tag) for tag in chosen] + [garment.category])
    return result


def _line(number, count, what):
    return f'{number:4} of {count} {what} ({100 * number / count:.1f} %)'


def check_report(unconditional, tags, prompted, training_texts):
    """Three figures of a text model as a table to print, with the first texts that failed.

    How many texts are consistent: they name every attribute and contradict themselves nowhere. How
    many agree with the attributes in their prompt. How many are copies of training texts.
    unconditional: texts without a prompt. tags: as `random_prompts` gives them. prompted: the texts
    for these. training_texts: the descriptions that the model was trained on.
    """
    wrong = [text for text in unconditional if not consistent(text)]
    disagreements = [(each, agrees(text, each)) for each, text in zip(tags, prompted)]
    disagreements = [(each, why) for each, why in disagreements if why]
    originals = {' '.join(text.split()) for text in training_texts}
    copies = sum(' '.join(text.split()) in originals for text in unconditional)
    count = len(unconditional)
    lines = [_line(count - len(wrong), count, 'texts without a prompt are consistent'),
             _line(len(tags) - len(disagreements), len(tags), 'agree with their prompt'),
             _line(copies, count, 'are copies of training texts')]
    for text in wrong[:3]:
        why = contradictions(text) + [f'no {name}' for name in missing(text)]
        lines.append(f"inconsistent: {', '.join(why)} | {' '.join(text.split())}")
    lines += [f"prompt {' '.join(each)}: {'; '.join(why)}" for each, why in disagreements[:3]]
    return '\n'.join(lines)
