"""One fake product as an article of the page: its picture, text, and everything that made it.

What goes deeper lies in a `details` element, which opens without a script; page.js shows the same
pieces in a dialog.
"""

import itertools
import re

from catalog.page import facets
from catalog.page.markup import Markup, fill, lines, link, listed

_ARTICLE = '''\
<article class="product"$attributes>
<a class="picture" href="$image"><img src="$image" alt="$alt" loading="lazy"></a>
<div class="about">
<h3>$category</h3>
$tags
<div class="words">
$words
</div>
<p class="origin">seed $seed · ψ $psi<span class="made">$made</span></p>
<details class="more"><summary>More about it</summary>
$seen
$beside
<div class="again"><h4>Make it again</h4>
<p><code>$command</code> <button type="button" class="copy" hidden>Copy</button></p></div>
</details>
</div>
</article>'''

_SEEN = '''\
<table class="seen"><caption>What the picture shows</caption>
<thead><tr><th scope="col">Attribute</th><th scope="col">Seen</th>
<th scope="col">Probability</th><th scope="col">Text</th></tr></thead>
<tbody>
$rows
</tbody></table>'''

_ROW = '''\
<tr><th scope="row">$head</th><td>$value</td><td>$probability</td>
<td class="$kind">$text</td></tr>'''

_METER = '<meter min="0" max="1" value="$value">$percent</meter> <span>$percent</span>'

_BESIDE = '''\
<figure class="beside"><figcaption>Beside the training pictures most like it</figcaption>
<ol>
<li><img src="$image" alt="This picture" loading="lazy"><span>this picture</span></li>
$neighbours
</ol>
<p>Numbers are distances: 1.0 is how far a training picture lies from the next one as a rule, and
0.0 would be a copy.</p></figure>'''

_NEIGHBOUR = '''\
<li><img src="$image" alt="Training picture at distance $distance" loading="lazy">\
<span>$distance</span></li>'''

_BULLET = re.compile(r'\s*[-*•·–]\s+(?=\S)')


def words(text):
    """A description as paragraphs, with its runs of bullet lines as lists."""
    every = [line.strip() for line in text.splitlines() if line.strip()]
    pieces = []
    for bullets, run in itertools.groupby(every, key=lambda line: bool(_BULLET.match(line))):
        if bullets:
            pieces.append(listed([_BULLET.sub('', line, count=1) for line in run]))
        else:
            pieces.append(fill('<p>$lines</p>', lines='\n'.join(run)))
    return lines(pieces)


def _row(product, head, value):
    probability, said = product.get('probabilities', {}).get(head), product['agreement'].get(head)
    verdict = {None: 'does not say', True: 'agrees', False: 'says otherwise'}[said]
    if head in product.get('unjudged', ()):
        verdict = 'not judged'
    percent = '' if probability is None else f'{100 * probability:.0f} %'
    return fill(
        _ROW, head=head, value=value, kind={None: '', True: 'agrees', False: 'differs'}[said],
        probability=fill(_METER, value=f'{probability:.3f}', percent=percent) if percent else '–',
        text=verdict)


def _seen(product):
    """The table of what the picture shows and whether the text agrees; nothing if untold."""
    shown = dict({'category': product['category']}, **product.get('attributes') or {})
    shown = {head: value for head, value in shown.items() if value}
    if not product.get('probabilities') and not product.get('agreement'):
        return Markup('')
    product = dict(product, agreement=product.get('agreement') or {})
    return fill(_SEEN, rows=lines(_row(product, head, value) for head, value in shown.items()))


def _beside(product):
    """The picture among its neighbours; nothing where they are not known."""
    if not product.get('neighbours'):
        return Markup('')
    return fill(_BESIDE, image=link(product['image']), neighbours=lines(
        fill(_NEIGHBOUR, image=link(each['image']), distance=f"{each['distance']:.2f}")
        for each in product['neighbours']))


def article(product, command):
    """The article of a product, a dict as `page.write` takes it; `command` makes it again."""
    category = product['category'] or 'Product'
    made = f" · prompt “{product['prompt']}”" if product['prompt'] else ''
    if product.get('redrawn'):
        made += ' · text %d, seed %d' % (product['redrawn'] + 1, product['text_seed'])
    return fill(_ARTICLE, image=link(product['image']), category=category,
                alt='Synthetic picture: ' + ', '.join([category] + list(product['tags'])),
                attributes=facets.attributes(product), tags=listed(product['tags'], kind='tags'),
                words=words(product['text']), seed=product['seed'], psi=f"{product['psi']:g}",
                made=made, seen=_seen(product),
                beside=_beside(product), command=command)
