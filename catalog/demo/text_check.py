"""Three figures for a text model trained on the demo catalogue, whose attributes are all known.

How many texts are consistent: they name every attribute and contradict themselves nowhere. How many
agree with the attributes in their prompt. How many are copies of training texts.
"""

import numpy as np

from catalog.demo import attributes, words


def prompts(count, seed):
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


def report(unconditional, tags, prompted, training_texts):
    """The three figures as a table to print, with the first texts that failed.

    unconditional: texts without a prompt. tags: as `prompts` gives them. prompted: the texts for
    these. training_texts: the descriptions that the model was trained on.
    """
    wrong = [text for text in unconditional if not words.consistent(text)]
    disagreements = [(each, words.agrees(text, each)) for each, text in zip(tags, prompted)]
    disagreements = [(each, why) for each, why in disagreements if why]
    originals = {' '.join(text.split()) for text in training_texts}
    copies = sum(' '.join(text.split()) in originals for text in unconditional)
    count = len(unconditional)
    lines = [_line(count - len(wrong), count, 'texts without a prompt are consistent'),
             _line(len(tags) - len(disagreements), len(tags), 'agree with their prompt'),
             _line(copies, count, 'are copies of training texts')]
    for text in wrong[:3]:
        why = words.contradictions(text) + [f'no {name}' for name in words.missing(text)]
        lines.append(f"inconsistent: {', '.join(why)} | {' '.join(text.split())}")
    lines += [f"prompt {' '.join(each)}: {'; '.join(why)}" for each, why in disagreements[:3]]
    return '\n'.join(lines)
