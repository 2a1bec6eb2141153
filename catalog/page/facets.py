"""What the products of a page can be found by, and the form that finds them.

A facet is a question with a few answers, such as colour; a product has none, one or several of
them. The form is hidden until page.js, which does the finding, takes it over.
"""

import collections
import json

from catalog.page.markup import Markup, fill, lines

SURE = 0.5  # a probability

_FORM = '''\
<form class="filters" role="search" aria-label="Find products" hidden>
$chips
<div class="choices">
<label class="search"><span>Search</span><input type="search" id="search" autocomplete="off"
placeholder="Words in the text, tags, a seed"></label>
<label><span>Order</span><select id="order">$orders</select></label>
<p class="found"><span role="status"></span>
<button type="button" class="clear">Clear</button></p>
</div>
<details class="attributes"$hidden><summary>Attributes</summary><div class="choices">
$selects
</div></details>
</form>'''

_CHIPS = '''\
<fieldset class="chips"><legend>$facet</legend>
<label><input type="radio" name="category" value="" data-facet="$facet" checked>\
<span>All</span></label>
$values
</fieldset>'''

_CHIP = '''\
<label><input type="radio" name="category" value="$value" data-facet="$facet">\
<span>$value <small>$count</small></span></label>'''

_SELECT = '''\
<label><span>$facet</span><select data-facet="$facet">
<option value="">Any</option>
$values
</select></label>'''

_ORDERS = {'': 'As made', 'category': 'Category', 'sure': 'Surest tags first',
           'apart': 'Least like training first'}


def of(product):
    """The facets of a product: a dict facet -> list of values, the category first.

    Its attributes are facets where there are any, else its tags are all one facet. What the
    picture shows too unsurely is none: nobody would find it again by eye.
    """
    category = product['category'] or 'product'
    found = {'category': [category]}
    if product.get('attributes'):
        sure = product.get('probabilities') or {}
        found.update((head, [value]) for head, value in product['attributes'].items()
                     if value and head != 'category' and sure.get(head, 1) >= SURE)
    else:
        found['tag'] = [tag for tag in product['tags'] if tag != product['category']]
    if product.get('agreement'):
        found['text'] = ['fits the picture' if all(product['agreement'].values())
                         else 'contradicts it']
    return {facet: values for facet, values in found.items() if values}


def orders(product):
    """What a product can be sorted by: a dict order -> number, for those that are known.

    sure: the mean probability of its tags. apart: the distance to its nearest training picture.
    """
    found = {}
    if product.get('probabilities'):
        found['sure'] = sum(product['probabilities'].values()) / len(product['probabilities'])
    if product.get('neighbours'):
        found['apart'] = product['neighbours'][0]['distance']
    return found


def attributes(product):
    """The same, as `data-` attributes for page.js."""
    told = fill(' data-facets="$facets"', facets=json.dumps(of(product), ensure_ascii=False))
    return Markup(told + ''.join(fill(' data-$name="$value"', name=name, value=f'{value:.4f}')
                                 for name, value in orders(product).items()))


def _counted(products):
    """facet -> value -> how many products have it; the facets in the order of the attributes."""
    heads = [head for product in products for head in product.get('attributes') or ()]
    counted = {facet: collections.Counter() for facet in ['category'] + heads + ['tag', 'text']}
    for product in products:
        for facet, values in of(product).items():
            counted[facet].update(values)
    return {facet: counts for facet, counts in counted.items() if counts}


def _choices(piece, facet, counts):
    return lines(fill(piece, facet=facet, value=value, count=count)
                 for value, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def form(products):
    """The form that filters, searches and sorts these products."""
    counted = _counted(products)
    chips = _choices(_CHIP, 'category', counted.pop('category'))
    option = '<option value="$value">$value ($count)</option>'
    selects = [fill(_SELECT, facet=facet, values=_choices(option, facet, counts))
               for facet, counts in counted.items()]
    known = {'', 'category'}.union(*(orders(product) for product in products))
    ordered = lines(fill('<option value="$name">$title</option>', name=name, title=title)
                    for name, title in _ORDERS.items() if name in known)
    return fill(_FORM, chips=fill(_CHIPS, facet='category', values=chips), selects=lines(selects),
                hidden=Markup('' if selects else ' hidden'), orders=ordered)
