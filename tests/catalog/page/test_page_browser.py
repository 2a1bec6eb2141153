"""The page in a real browser: filtering and opening products, by mouse and keyboard."""

import browser
import numpy as np
import pytest

from catalog.page import build
from dnnlib import images

pytestmark = pytest.mark.skipif(browser.PROGRAM is None, reason='there is no Chromium here')

HOSTILE = '</script><script>document.title = "run"</script><img src=x onerror="document.title=1">'
SHOWN = "[...document.querySelectorAll('.product')].filter(one => !one.hidden)" \
        ".map(one => one.querySelector('.origin').textContent.match(/seed (\\d+)/)[1]).join(' ')"
SAID = "document.querySelector('.filters [role=status]').textContent"
TITLE = "document.querySelector('dialog').open && document.querySelector('dialog h2').textContent"
PLACE = "document.querySelector('dialog [role=status]').textContent"
AT = "document.activeElement.closest('article').dataset.facets"


def _product(folder, seed, category, colour, text, **more):
    name = f'products/{seed:06d}.png'
    rgb = np.full([64, 64, 3], 40 * seed + 20, np.uint8)
    images.write_png(folder / name, rgb)
    return dict({'image': name, 'seed': seed, 'psi': 0.7, 'category': category, 'text': text,
                 'tags': [category, colour], 'prompt': f'{colour} {category}',
                 'attributes': {'colour': colour, 'sleeve': 'long' if seed % 2 else ''},
                 'probabilities': {'category': 0.9, 'colour': 0.5 + seed / 10},
                 'agreement': {'colour': seed != 2},
                 'neighbours': [{'image': name, 'distance': 1 + seed % 3}]}, **more)


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    """A page of five products; the texts of one would do harm if they were more than text."""
    folder = tmp_path_factory.mktemp('page')
    products = [_product(folder, 0, 'dress', 'red', 'A dress for the sea.\n- Linen'),
                _product(folder, 1, 'skirt', 'red', 'A skirt.'),
                _product(folder, 2, 'dress', 'blue', 'A dress for the town.'),
                _product(folder, 3, 'top', HOSTILE, HOSTILE),
                _product(folder, 4, 'dress', 'red', 'Another dress for the sea.')]
    build.write(folder / 'a page.html', title='These products do not exist', facts=[], figures=[],
               products=products, texts=[])
    return folder / 'a page.html'


@pytest.fixture(scope='module')
def chromium(tmp_path_factory):
    """The browser, which at the end must have asked for files alone and have met no error."""
    started = browser.Browser(tmp_path_factory.mktemp('profile'))
    yield started
    started.close()
    assert {address.split(':')[0] for address in started.asked} <= {'file', 'data'}
    assert started.said == []


def _choose(chromium, facet, value):
    chromium.run(f'(() => {{ const field = document.querySelector("select[data-facet={facet}]");'
                 f'field.value = "{value}";'
                 'field.dispatchEvent(new Event("input", {bubbles: true})); })()')


def test_products_are_found_by_category_attribute_and_words(chromium, path):
    chromium.open(path)
    assert chromium.run(SHOWN) == '0 1 2 3 4' and chromium.run(SAID) == '5 products'
    chromium.click('.chips input[value=dress] + span')
    assert chromium.run(SHOWN) == '0 2 4' and chromium.run(SAID) == '3 of 5 products'
    counts = "[...document.querySelectorAll('select[data-facet=colour] option')].slice(1)" \
             ".map(one => [one.value, one.textContent.match(/\\((\\d)\\)$/)[1], one.disabled])"
    assert sorted(chromium.run(counts)) == [[HOSTILE, '0', True], ['blue', '1', False],
                                            ['red', '2', False]]
    _choose(chromium, 'colour', 'red')
    assert chromium.run(SHOWN) == '0 4'
    chromium.click('#search')
    chromium.type('ANOTHER sea')
    assert chromium.run(SHOWN) == '4'
    chromium.type(' nowhere')
    assert chromium.run(SHOWN) == '' and chromium.run(SAID) == 'Nothing matches.'
    chromium.click('.clear')
    assert chromium.run(SHOWN) == '0 1 2 3 4'
    _choose(chromium, 'text', 'contradicts it')
    assert chromium.run(SHOWN) == '2'


def test_products_are_seen_at_once_and_attributes_opened(chromium, path):
    chromium.open(path, width=1280, height=800)
    assert chromium.run("document.querySelector('.picture').getBoundingClientRect().bottom") < 800
    assert not chromium.run("document.querySelector('.attributes').open")
    chromium.click('.attributes summary')
    assert chromium.run("document.querySelector('.attributes').open")


@pytest.mark.parametrize('order, seeds', [('category', '0 2 4 1 3'), ('sure', '4 3 2 1 0'),
                                          ('apart', '2 1 4 0 3'), ('', '0 1 2 3 4')])
def test_products_are_sorted(chromium, path, order, seeds):
    chromium.open(path)
    chromium.run(f'document.getElementById("order").value = "{order}"')
    chromium.run('document.getElementById("order").dispatchEvent('
                 'new Event("input", {bubbles: true}))')
    assert chromium.run(SHOWN) == seeds


def test_a_click_shows_everything_about_a_product(chromium, path):
    chromium.open(path)
    chromium.click('.product:nth-of-type(3) .words')
    assert chromium.run(TITLE) == 'dress' and chromium.run(PLACE) == '3 of 5'
    shown = chromium.run("document.querySelector('dialog').innerText")
    for words in ('A dress for the town.', 'seed 2', 'ψ 0.7', 'blue dress', '90 %', '70 %',
                  'says otherwise', '3.00', 'python run.py cards --seed 2 --count 1'):
        assert words in shown, words
    chromium.wait("[...document.querySelectorAll('dialog .beside img')]"
                  ".every(one => one.naturalWidth === 64)")  # they are loaded lazily
    chromium.click('dialog .copy')
    assert chromium.run("String(getSelection())").strip() == (
        'python run.py cards --seed 2 --count 1')
    chromium.click('dialog .close')
    assert chromium.run(TITLE) is False


def test_everything_by_keyboard(chromium, path):
    chromium.open(path)
    chromium.run("document.querySelector('.chips input').focus()")
    chromium.press('ArrowRight')
    assert chromium.run(SHOWN) == '0 2 4'
    chromium.run("document.querySelector('.picture').focus()")
    chromium.press('Enter')
    assert chromium.run(PLACE) == '1 of 3'
    chromium.press('ArrowRight', times=5)
    assert chromium.run(PLACE) == '3 of 3'
    chromium.press('ArrowLeft')
    assert chromium.run(PLACE) == '2 of 3'
    for _ in range(12):  # the focus goes round inside the dialog, and out to the browser itself
        chromium.press('Tab')
        assert chromium.run("document.activeElement === document.body"
                            " || document.querySelector('dialog').contains(document.activeElement)")
    chromium.press('Escape')
    assert chromium.run(TITLE) is False
    chromium.wait(f"{AT}.includes('blue')")  # back on the product that was shown last
    chromium.press('ArrowRight')
    assert '"red"' in chromium.run(AT)


def test_hostile_text_stays_text_in_the_dialog(chromium, path):
    chromium.open(path)
    chromium.click('.product:nth-of-type(4) .picture')
    assert HOSTILE in chromium.run("document.querySelector('dialog .words').textContent")
    assert chromium.run('document.title') == 'These products do not exist'


def test_attributes_of_any_name_filter(chromium, path):
    names = ('constructor', '__proto__', 'toString', 'hasOwnProperty', 'length')
    products = [dict(_product(path.parent, seed, 'dress', 'red', 'A dress.'), agreement={},
                     attributes={name: f'{name} {seed % 2}' for name in names})
                for seed in range(3)]
    build.write(path.with_name('names.html'), title='A page', facts=[], figures=[],
                products=products, texts=[])
    chromium.open(path.with_name('names.html'))
    for name in names:
        assert chromium.run(SHOWN) == '0 1 2'
        _choose(chromium, name, f'{name} 1')
        assert chromium.run(SHOWN) == '1', name
        chromium.click('.clear')


def test_the_policy_lets_nothing_else_run_or_load(chromium, path):
    chromium.open(path)
    chromium.run("""(() => {
        const add = markup => document.body.append(
            document.createRange().createContextualFragment(markup));
        add('<script>document.title = "inline"<\\/script>');
        add('<img src="data:," onerror="document.title = 1">');
        add('<style>body { display: none }</style><p id="styled" style="display: none">x</p>');
        add('<script src="other.js"><\\/script><iframe src="other.html"></iframe>');
        add('<base href="https://example.com/"><img src="https://example.com/a.png">');
        add('<form action="https://example.com/"><button id="go">Go</button></form>');
        fetch('products/000000.png').catch(() => {});
    })()""")
    chromium.wait("document.readyState === 'complete'")
    chromium.run("document.getElementById('go').click()")
    chromium.run("new Promise(done => setTimeout(done, 300))")
    assert chromium.run('document.title') == 'These products do not exist'
    assert chromium.run("getComputedStyle(document.body).display") == 'block'
    assert chromium.run("getComputedStyle(document.getElementById('styled')).display") == 'block'
    blocked = ' '.join(chromium.said)
    chromium.said[:] = []
    for directive in ('script-src', 'style-src', 'img-src', 'base-uri', 'form-action',
                      'connect-src', 'default-src'):
        assert directive in blocked, directive
    chromium.asked[:] = []  # requests count before the policy has blocked them


@pytest.mark.parametrize('width', [320, 390, 768, 1280])
@pytest.mark.parametrize('close', [False, True])
def test_nothing_is_wider_than_the_screen(chromium, path, width, close):
    chromium.open(path, width, 800, phone=width < 500)
    if close:
        chromium.click('.product .picture')
    wide = chromium.run("[...document.querySelectorAll(%s)].filter(one => one.offsetParent)"
                        ".filter(one => one.getBoundingClientRect().right > innerWidth + 0.5)"
                        ".map(one => one.outerHTML.slice(0, 80))" % (
                            "'dialog *'" if close else "'body *'"))
    assert wide == []
    assert chromium.run('document.documentElement.scrollWidth <= innerWidth')


def test_without_a_script_all_can_be_read(chromium, path):
    chromium.open(path, script=False)
    count = "getComputedStyle(document.querySelector('%s')).display"
    assert chromium.run(count % '.filters') == 'none'
    assert chromium.run(count % '.words ul') != 'none'
    chromium.click('.product .more summary')
    assert chromium.run("document.querySelector('.more .seen').getBoundingClientRect().height") > 0
    assert 'run.py cards --seed 0' in chromium.run("document.querySelector('.more').innerText")
    assert chromium.run(count % '.more button') == 'none'


def test_reduced_motion_and_dark_mode_are_respected(chromium, path):
    dialog = "getComputedStyle(document.querySelector('dialog')).%s"
    seen = []
    for media in ([('prefers-reduced-motion', 'no-preference'), ('prefers-color-scheme', 'light')],
                  [('prefers-reduced-motion', 'reduce'), ('prefers-color-scheme', 'dark')]):
        chromium.open(path, media=media)
        chromium.click('.product .picture')
        seen.append([chromium.run(dialog % name) for name in ('animationName', 'backgroundColor')])
    (moving, light), (still, dark) = seen
    assert moving != 'none' and still == 'none'
    assert light == 'rgb(255, 255, 255)' and dark != light
