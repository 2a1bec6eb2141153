"""Three figures for a text model trained on the demo catalogue, where the truth is known.

Consistent: a text names everything it should and contradicts itself nowhere. Obedient: asked for
some tags, it says exactly those. Original: it is not a training description, word for word.
"""

import numpy as np

from catalog.demo import attributes, words


def _requests(count, seed):
    """`count` lists of two to four tags of garments that exist, the category last."""
    requests = []
    for index in range(count):
        random_state = np.random.RandomState([seed, index])
        garment = attributes.draw(random_state)
        others = [tag for tag in attributes.tags(garment) if tag != garment.category]
        chosen = random_state.permutation(others)[:random_state.randint(1, 4)]
        requests.append([str(tag) for tag in chosen] + [garment.category])
    return requests


def report(write_texts, known, *, count, seed):
    """The three figures as a table to print, with the first texts that failed.

    write_texts: function list of prompts -> list of texts; '' asks for any product.
    known:       the training descriptions.
    """
    free = write_texts([''] * count)
    requests = _requests(count, seed)
    asked = write_texts([' '.join(tags) for tags in requests])
    wrong = [text for text in free if not words.consistent(text)]
    disobedient = [(tags, words.agrees(text, tags)) for tags, text in zip(requests, asked)
                   if words.agrees(text, tags)]
    originals = {' '.join(text.split()) for text in known}
    copies = sum(' '.join(text.split()) in originals for text in free)
    lines = ['%4d of %d free texts are consistent (%.1f %%)' % (
                 count - len(wrong), count, 100 - 100 * len(wrong) / count),
             '%4d of %d agree with the tags they were asked for (%.1f %%)' % (
                 count - len(disobedient), count, 100 - 100 * len(disobedient) / count),
             '%4d of %d are copies of training texts (%.1f %%)' % (
                 copies, count, 100 * copies / count)]
    lines += ['inconsistent: %s | %s' % (
        ', '.join(words.contradictions(text) + ['no ' + name for name in words.missing(text)]),
        ' '.join(text.split())) for text in wrong[:3]]
    lines += [f"asked for {' '.join(tags)}: {'; '.join(why)}"
              for tags, why in disobedient[:3]]
    return '\n'.join(lines)
