"""Training both taggers on a catalogue, and what held-out products say about them.

Products are split by key: those held out, and those by which probabilities are calibrated, are new
to the taggers. A catalogue without attribute columns is given colour and pattern as measured.
"""

import numpy as np

from tagger import image_tagger, labels, pixels, text_tagger
from dnnlib import files, images
from dnnlib.files import UserError


def read(products, side, fit='pad'):
    """The pictures of products as uint8 [n, side, side, 3], and the products, unreadable ones
    left out. Raises UserError if nothing is left."""
    pictures, kept = [], []
    for index, picture in images.readable([product.image for product in products], 2 * side):
        pictures.append(images.square(picture, side, fit))
        kept.append(products[index])
    return np.stack(pictures), kept


def _heads(products):
    heads = labels.heads_of(products)
    if not heads:
        raise UserError('the catalogue has nothing to learn: no two categories and no column of '
                        'attributes with 2 to 40 values')
    return heads


def _parts(products, split, seed):
    """Indices to train on, to calibrate by and to judge by."""
    return labels.split([p.key for p in products], (split.validation, split.held_out), seed)


def _picked(each, chosen):
    return {name: values[chosen] for name, values in each.items()}


def _figures(model, given, products, heads):
    """Figures of products that a tagger has never seen; {} if there are none."""
    if not products:
        return {}
    return labels.evaluate(model.probabilities(given), labels.encode(products, heads), heads)


def _pictures(products, test, config, split, run, fit):
    """Train the picture tagger -> (tagger, figures)."""
    def prepared(some):
        pictures, kept = read(some, config.side, fit)
        if not any(product.attributes for product in kept):
            kept = pixels.described(kept, pictures)
        return pictures, kept
    pictures, products = prepared(products)
    heads = _heads(products)
    known = labels.encode(products, heads)
    train, validation, held_out = _parts(products, split, config.seed)
    model = image_tagger.fit(pictures[train], _picked(known, train), heads, config, run=run,
                       validation=(pictures[validation], _picked(known, validation)))
    seen, products = prepared(test) if test else (
        pictures[held_out], [products[index] for index in held_out])
    return model, _figures(model, seen, products, heads)


def _texts(products, test, split, seed):
    """Train the text tagger -> (tagger, figures)."""
    heads = _heads(products)
    known = labels.encode(products, heads)
    parts = _parts(products, split, seed)
    train, validation, held_out = [[products[index] for index in part] for part in parts]
    test = test or held_out
    model = text_tagger.fit([p.description for p in train], _picked(known, parts[0]), heads,
                           validation=([p.description for p in validation],
                                       _picked(known, parts[1])))
    return model, _figures(model, [p.description for p in test], test, heads)


def report(title, figures):
    """The figures of one tagger on held-out products as text."""
    if not figures:
        return f'{title}: no products are held out, so there are no figures'
    lines = [f'{title}, on products it has never seen:', labels.table(figures)]
    if 'category' in figures:
        each = figures['category']
        lines += ['', labels.values_table(each), '',
                  labels.confusion_table(each['confusion'], tuple(each['values']))]
    return '\n'.join(lines)


def train(run, products, config, split, made, *, test=(), fit='pad'):
    """Train what the catalogue allows into a run folder -> the report, a text.

    Writes tagger.npz from pictures, texttagger.npz from descriptions where these have anything to
    learn, report.txt, and report.json with every figure and confusion matrix.
    run: dnnlib.runs.Run; products: catalog.source.Product; made: JSON-able provenance; test:
    products of another catalogue to report on, instead of those held out.
    """
    with run.writing():
        return _train(run, products, config, split, made, test, fit)


def _train(run, products, config, split, made, test, fit):
    parts, figures = [], {}
    pictured, written = [[[p for p in some if getattr(p, what)] for some in (products, test)]
                         for what in ('image', 'description')]
    if pictured[0]:
        with run.stoppable():
            model, figures['pictures'] = _pictures(*pictured, config, split, run, fit)
        image_tagger.save(run.folder / 'tagger.npz', model, made=made)
        parts.append(report('pictures', figures['pictures']))
    if written[0] and (not pictured[0] or labels.heads_of(written[0])):
        model, figures['texts'] = _texts(*written, split, config.seed)
        text_tagger.save(run.folder / 'texttagger.npz', model, made=made)
        parts.append(report('texts', figures['texts']))
    text = '\n\n'.join(parts) + '\n'
    files.write_json(run.folder / 'report.json', figures)
    files.write_text(run.folder / 'report.txt', text)
    return text
