"""Training both taggers on a catalogue, and their metrics on held-out products.

Products are split by key into training, calibration and held-out products. If a catalogue has no
attribute columns, colour and pattern are measured from the images.
"""

import numpy as np

from dnnlib import files, images
from dnnlib.files import UserError
from tagger import image_tagger, labels, metrics, pixels, text_tagger


def read(products, side, fit='pad'):
    """(images uint8 [n, side, side, 3], products) of the readable ones of `products`.

    Raises UserError if there are none.
    """
    pictures, kept = [], []
    for index, picture in images.readable([product.image for product in products], 2 * side):
        pictures.append(images.square(picture, side, fit))
        kept.append(products[index])
    if not kept:
        raise UserError('there are no images; give a catalogue that has some')
    return np.stack(pictures), kept


def _heads(products):
    heads = labels.heads_of(products)
    if not heads:
        raise UserError('the catalogue has nothing to classify: neither two categories nor an '
                        'attribute column with 2 to 100 values; put the photos into one folder for '
                        'each category, or add columns to products.csv')
    return heads


def _parts(products, split, seed):
    """Indices of the training, calibration and held-out products. Raises UserError."""
    parts = labels.split([p.key for p in products], (split.validation, split.held_out), seed)
    if not len(parts[0]):
        raise UserError(f'{len(products)} product(s) are too few to train on some and hold others '
                        'out; give more')
    return parts


def _picked(labels_, chosen):
    return {name: values[chosen] for name, values in labels_.items()}


def _figures(model, inputs, products, heads, answered=None):
    """Metrics on held-out products; {} if there are none."""
    if not products:
        return {}
    return metrics.evaluate(model.probabilities(inputs), labels.encode(products, heads), heads,
                            answered)


def _pictures(products, test, config, split, run, fit):
    """Train the image tagger -> (tagger, figures)."""
    def prepared(products):
        pictures, kept = read(products, config.side, fit)
        if not any(product.attributes for product in kept):
            kept = pixels.described(kept, pictures)
        return pictures, kept
    pictures, products = prepared(products)
    heads = _heads(products)
    known = labels.encode(products, heads)
    train, validation, held_out = _parts(products, split, config.seed)
    model = image_tagger.fit(pictures[train], _picked(known, train), heads, config, run=run,
                             validation=(pictures[validation], _picked(known, validation)))
    pictures, products = prepared(test) if test else (
        pictures[held_out], [products[index] for index in held_out])
    return model, _figures(model, pictures, products, heads)


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
    texts = [p.description for p in test]
    return model, _figures(model, texts, test, heads, model.answered(texts))


def report(title, figures):
    """The metrics of one tagger on held-out products as text."""
    if not figures:
        return f'{title}: no held-out products, so no metrics'
    lines = [f'{title}, on held-out products:', metrics.table(figures)]
    if 'category' in figures:
        category = figures['category']
        lines += ['', metrics.values_table(category), '',
                  metrics.confusion_text(category['confusion'], tuple(category['values']))]
    return '\n'.join(lines)


def train(run, products, config, split, made, *, test=(), fit='pad'):
    """Train the taggers that a catalogue has data for, into a run folder -> the report as text.

    Writes tagger.npz if there are images, texttagger.npz if there are descriptions and labels,
    report.txt, and report.json with all metrics and confusion matrices.
    run: dnnlib.runs.Run. products: catalog.source.Product. made: JSON-able provenance. test:
    products of another catalogue to report on instead.
    """
    if not any(product.image or product.description for product in products):
        raise UserError('there is nothing to train on; give a catalogue that has images or '
                        'descriptions')
    with run.writing():
        return _train(run, products, config, split, made, test, fit)


def _train(run, products, config, split, made, test, fit):
    parts, figures = [], {}
    pictured, described = [[[p for p in each if getattr(p, field)] for each in (products, test)]
                           for field in ('image', 'description')]
    if pictured[0]:
        with run.stoppable():
            model, figures['pictures'] = _pictures(*pictured, config, split, run, fit)
        image_tagger.save(run.folder / 'tagger.npz', model, made=made)
        parts.append(report('images', figures['pictures']))
    if described[0] and (not pictured[0] or labels.heads_of(described[0])):
        model, figures['texts'] = _texts(*described, split, config.seed)
        text_tagger.save(run.folder / 'texttagger.npz', model, made=made)
        parts.append(report('texts', figures['texts']))
    varied = labels.too_varied(products)
    if varied:
        parts.append(f"not predicted, since they have over {labels.MOST} values: "
                     f"{', '.join(varied)}")
    text = '\n\n'.join(parts) + '\n'
    files.write_json(run.folder / 'report.json', figures)
    files.write_text(run.folder / 'report.txt', text)
    return text
