"""The catalogue page: one HTML file that shows fake products, images, videos and texts.

It needs no network; images and videos lie beside it. The markup is in template.html, which
escapes every value, because texts come from a language model and from other people's catalogues.
It is readable without JavaScript; page.js filters products and enlarges them.
"""

import collections
import itertools
import json
import pathlib
import re
import urllib.parse

import jinja2
import markupsafe

from catalog.page.policy import policy
from dnnlib import files

_FOLDER = pathlib.Path(__file__).parent
STYLE = _FOLDER / 'page.css'
_CONFIDENT = 0.5  # least probability of an attribute to filter by
_BULLET = re.compile(r'\s*[-*•·–]\s+(?=\S)')
_ORDERS = {'': 'As made', 'category': 'Category', 'sure': 'Surest tags first',
           'apart': 'Least like training first'}


def _blocks(text):
    """The lines of a description in runs: (whether they are bullet points, list of lines)."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for bullets, run in itertools.groupby(lines, key=lambda line: bool(_BULLET.match(line))):
        yield bullets, [_BULLET.sub('', line, count=1) if bullets else line for line in run]


def _link(name):
    """A file name as a relative URL, `100%.png` quoted; data: URLs are kept."""
    assert not name.startswith('/') and '..' not in name.split('/'), name
    return name if name.startswith('data:image/png;base64,') else urllib.parse.quote(name)


def _facets(product):
    """The facets to filter a product by: {facet: list of values}, the category first.

    Each attribute is a facet; without attributes, the tags are one facet.
    """
    facets = {'category': [product['category'] or 'product']}
    if product.get('attributes'):
        probabilities = product.get('probabilities') or {}
        facets.update((head, [value]) for head, value in product['attributes'].items()
                      if value and head != 'category' and probabilities.get(head, 1) >= _CONFIDENT)
    else:
        facets['tag'] = [tag for tag in product['tags'] if tag != product['category']]
    if product.get('agreement'):
        facets['text'] = ['fits the image' if all(product['agreement'].values())
                          else 'contradicts it']
    return {facet: values for facet, values in facets.items() if values}


def _orders(product):
    """The sort keys of a product, as far as they are known: {order: number}.

    sure: the mean probability of its tags. apart: the distance to its nearest training image.
    """
    orders = {}
    if product.get('probabilities'):
        orders['sure'] = sum(product['probabilities'].values()) / len(product['probabilities'])
    if product.get('neighbours'):
        orders['apart'] = product['neighbours'][0]['distance']
    return orders


def _counts(products):
    """List of (facet, list of (value, number of products)), the most frequent value first."""
    heads = [head for product in products for head in product.get('attributes') or ()]
    counts = collections.OrderedDict(
        (facet, collections.Counter()) for facet in ['category'] + heads + ['tag', 'text'])
    for product in products:
        for facet, values in _facets(product).items():
            counts[facet].update(values)
    return [(facet, sorted(values.items(), key=lambda one: (-one[1], one[0])))
            for facet, values in counts.items() if values]


def _rows(product):
    """The rows of the table of a product: what its image shows, and whether its text agrees."""
    probabilities, agreement = [product.get(name) or {} for name in ('probabilities', 'agreement')]
    shown = dict({'category': product['category']}, **product.get('attributes') or {})
    rows = []
    for head, value in shown.items() if probabilities or agreement else ():
        agrees = agreement.get(head)
        verdict = {None: 'does not say', True: 'agrees', False: 'says otherwise'}[agrees]
        if value:
            rows.append({'head': head, 'value': value, 'probability': probabilities.get(head),
                         'kind': {None: '', True: 'agrees', False: 'differs'}[agrees],
                         'verdict': 'not judged' if head in product.get('unjudged', ())
                         else verdict})
    return rows


def write(path, *, title, facts, figures, products, texts,
          command='python run.py cards --seed {} --count 1'):
    """Write the page, whole or not at all.

    title:    headline.
    facts:    (label, value) pairs of strings for the footer: networks, seeds, engine, command.
    figures:  (kind, file name, title, caption); kind is 'image' or 'video'.
    products: dicts with 'image' (file name), 'text', 'category', 'tags' (list of strings),
              'prompt' (may be empty), 'seed' and 'psi'; and, if known, 'attributes' and
              'probabilities' (by head), 'agreement' (by head: whether the text agrees) and
              'neighbours' (dicts with 'image' and 'distance', nearest first). 'made', a text,
              replaces seed, psi and command.
    texts:    (prompt, text) pairs; the prompt may be empty.
    command:  the command that makes one product again, with {} for its seed.
    File names are relative to the page's folder; an image may also be a PNG as a data: URL. Empty
    sections are left out.
    """
    style = STYLE.read_text(encoding='utf-8')
    script = (_FOLDER / 'page.js').read_text(encoding='utf-8')
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(_FOLDER)), autoescape=True, trim_blocks=True,
        undefined=jinja2.StrictUndefined)
    environment.filters.update(link=_link, blocks=_blocks)
    shown = [dict({'redrawn': 0, 'neighbours': [], 'made': ''}, **product, facets=json.dumps(
        _facets(product), ensure_ascii=False), orders=_orders(product), rows=_rows(product),
        command=command.replace('{}', str(product['seed']))) for product in products]
    counts = _counts(products)
    known = {'', 'category'}.union(*(product['orders'] for product in shown))
    files.write_text(path, environment.get_template('template.html').render(
        title=title, facts=facts, style=markupsafe.Markup(style), script=markupsafe.Markup(script),
        policy=policy(script, style),
        sections={'products': shown, 'figures': figures, 'texts': texts},
        categories=dict(counts)['category'] if products else [],
        selects=[(facet, values) for facet, values in counts if facet != 'category'],
        orders=[(name, label) for name, label in _ORDERS.items() if name in known]))
