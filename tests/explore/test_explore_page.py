"""The page in a real browser, by clicks, keys and drags, on a desktop's and a phone's screen."""

import json
import os
import pathlib
import threading

import browser
import numpy as np
import pytest
import requests
import toy_explorer
import waitress

from dnnlib import images
from explore import library

pytestmark = pytest.mark.skipif(browser.PROGRAM is None, reason='there is no Chromium here')

AXE = os.environ.get('AXE')
READY = "document.querySelectorAll('#wall .tile').length >= 24"
OPENED = f"{READY} && document.querySelectorAll('.chip').length > 20"
SOURCE = "document.querySelector('#picture').src"
CAPTION = "document.querySelector('#caption').textContent"
FOCUS = "document.activeElement.%s"


class Page:
    """A served explorer of a toy network, and a browser that looks at it."""

    def __init__(self, chromium, address, out):
        self.chromium, self.address, self.out = chromium, address, out

    def open(self, **how):
        self.chromium.open(self.address, **how)
        self.chromium.run('sessionStorage.clear()')
        self.chromium.wait(OPENED if how.get('width', 1280) > 960 else READY)
        return self.chromium


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    chromium = browser.Browser(tmp_path_factory.mktemp('profile'))  # before there are threads
    folder = tmp_path_factory.mktemp('explorer')
    made, studio, worker = toy_explorer.server(folder)
    studio.catalogue = library.read(toy_explorer.products(folder), studio.taggers.images,
                                  folder / 'cache.npz', lambda: None)
    serving = waitress.create_server(made.app, host='127.0.0.1', port=0, threads=8,
                                     clear_untrusted_proxy_headers=True)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    yield Page(chromium, f'http://127.0.0.1:{serving.effective_port}/', folder / 'out')
    chromium.close()
    serving.close()
    worker.close()
    hosts = {address.split('/')[2] for address in chromium.asked if address.startswith('http')}
    assert hosts == {f'127.0.0.1:{serving.effective_port}'}


def _fill(chromium, selector, value, *events):
    """Set a field's value, as a hand does that types or drags."""
    chromium.run(f'(() => {{ const field = document.querySelector({json.dumps(selector)});'
                 f'field.value = {json.dumps(value)}; for (const name of {json.dumps(events)})'
                 'field.dispatchEvent(new Event(name, {bubbles: true})); })()')


def _drag(chromium, selector, share):
    """Drag a slider's thumb with the mouse to a share of its width, in steps."""
    left, middle, width, y = chromium.run(
        f'(() => {{ const it = document.querySelector({json.dumps(selector)});'
        'it.scrollIntoView({block: "center"}); const box = it.getBoundingClientRect();'
        'return [box.x, box.x + box.width / 2, box.width, box.y + box.height / 2]; })()')
    end = left + width * share

    def mouse(kind, x):
        chromium.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left',
                      buttons=1, clickCount=1)
    mouse('mousePressed', middle)
    for step in range(1, 9):
        mouse('mouseMoved', middle + (end - middle) * step / 8)
        chromium.run("new Promise(done => setTimeout(done, 30))")
    chromium.wait(f"{SOURCE}.startsWith('blob:')")  # it follows before the hand lets go
    mouse('mouseReleased', end)


def test_a_slider_changes_the_image_and_undo_takes_it_back(page):
    chromium = page.open()
    before = chromium.run(SOURCE)
    _drag(chromium, '#sliders input[name=pca0]', 0.9)
    chromium.wait(f"{CAPTION}.includes('pca0=+')")
    after = chromium.run(SOURCE)
    assert after != before and 'blob:' not in after
    chromium.click('#undo')
    assert chromium.run(SOURCE) == before and 'pca0' not in chromium.run(CAPTION)
    assert chromium.run("document.querySelector('#sliders input[name=pca0]').value") == '0'
    chromium.click('#redo')
    assert chromium.run(SOURCE) == after
    assert float(chromium.run("document.querySelector('#sliders input[name=pca0]').value")) > 1
    chromium.click('#compare')
    assert chromium.run(SOURCE) == before and chromium.run(CAPTION).startswith('the start: seed 0')
    chromium.click('#compare')
    assert chromium.run(SOURCE) == after
    assert chromium.said == []


def test_a_value_is_searched_and_what_else_changed_is_told(page):
    chromium = page.open()
    chip = '.head[aria-label=colour] .chip:not(:disabled):not([aria-pressed=true])'
    value = chromium.run(f"document.querySelector('{chip}').textContent")
    chromium.run(f"document.querySelector('{chip}').focus()")
    chromium.press('Enter')
    chromium.wait(f"{CAPTION}.includes('colour={value}')")
    chromium.wait("document.querySelector('#busy').hidden")
    chromium.click('#undo')
    chromium.wait(f"!{CAPTION}.includes('colour=') && !!document.querySelector('{chip}')")
    chromium.run(f"document.querySelector('{chip}').focus()")
    chromium.press('Enter')
    chromium.wait(f"{CAPTION}.includes('colour={value}')")
    chromium.run("new Promise(done => setTimeout(done, 300))")
    assert chromium.run(FOCUS % 'dataset.name') == f'colour={value}'  # the keyboard's place
    assert chromium.said == []


def test_a_value_that_cannot_be_reached_says_why(page):
    chromium = page.open()
    why = set(chromium.run("[...document.querySelectorAll('.chip:disabled')].map(it => it.title)"))
    assert why == {'Too few products like this one have this value'}


def test_the_wall_grows_and_begins_anew(page):
    chromium = page.open()
    chromium.wait("document.querySelectorAll('#wall .tile').length >= 24")
    chromium.run("document.querySelector('#wall').scrollTo(0, 1e6)")
    chromium.wait("document.querySelectorAll('#wall .tile').length >= 48")
    _fill(chromium, '#seed', '7000', 'change')
    label = "(document.querySelector('#wall .tile') || document.body).getAttribute('aria-label')"
    chromium.wait(f"{label} === 'Product, seed 7000 · psi 0.7'")
    _fill(chromium, '#psi', '1', 'input', 'change')
    chromium.wait(f"{label} === 'Product, seed 7000 · psi 1.0'")
    chromium.click('#wall li:nth-child(3) .tile')
    chromium.wait(f"{CAPTION} === 'seed 7002 · psi 1.0'")
    assert chromium.said == []


def test_two_products_are_mixed_and_walked_between(page):
    chromium = page.open()
    chromium.click('#wall li:nth-child(2) .tile')
    chromium.click('#tab-mix')
    chromium.click('#seconds .tile')
    chromium.wait("document.querySelectorAll('#mixes .tile').length === 3")
    _fill(chromium, '#way', '0.5', 'input')
    chromium.wait(f"{SOURCE}.startsWith('blob:')")
    chromium.click('#take')
    chromium.wait(f"{CAPTION}.includes('walk 1 to 0, at 0.500')")
    chromium.click('#undo')
    chromium.wait("document.querySelectorAll('#mixes .tile').length === 3")
    chromium.click('#mixes .tile')
    chromium.wait(f"{CAPTION}.includes('0 onto 1, layers coarse')")
    assert chromium.said == []


def test_a_text_is_written_and_written_again(page):
    chromium = page.open()
    chromium.click('#tab-describe')
    chromium.click('#writing button')
    text = "document.querySelector('#text').innerText"
    chromium.wait(f"{text}.length > 20 && document.querySelector('#busy').hidden")
    chromium.wait("!document.querySelector('#verdict').hidden")
    first = chromium.run(text)
    assert chromium.run("document.querySelector('#writing button').textContent") == 'Write again'
    chromium.click('#writing button')
    chromium.wait(f"{text} !== {json.dumps(first)} && document.querySelector('#busy').hidden")
    chromium.click('#words')
    chromium.type('red midi skirt')
    chromium.press('Enter')
    chromium.wait(f"{text}.toLowerCase().includes('skirt')")
    assert chromium.said == []


def test_similar_products_are_found_by_category(page):
    chromium = page.open()
    chromium.click('#tab-find')
    chromium.wait("document.querySelectorAll('#found .tile').length === 6")
    _fill(chromium, '#category', 'dress', 'change')
    chromium.wait("document.querySelectorAll('#found .tile').length === 3")
    assert chromium.said == []


def test_kept_products_survive_a_reload_and_are_saved(page):
    chromium = page.open()
    chromium.click('#keep')
    chromium.click('#wall li:nth-child(3) .tile')
    chromium.click('#keep')
    assert chromium.run("document.querySelector('#show-tray .count').textContent") == '2'
    chromium.open(page.address)
    chromium.wait(OPENED)
    chromium.click('#show-tray')
    assert chromium.run("document.querySelectorAll('#picks .tile').length") == 2
    _fill(chromium, '#name', 'from the page')
    chromium.click('#saving button')
    said = "document.querySelector('#tray .tray .said').textContent"
    chromium.wait(f"{said}.startsWith('2 products are saved')")
    assert (page.out / 'from the page' / 'products.csv').exists()
    chromium.click('#saving button')
    chromium.wait(f"{said}.includes('give another name')")
    chromium.click('#picks .remove')
    assert chromium.run("document.querySelectorAll('#picks .tile').length") == 1
    assert chromium.run("document.querySelector('#tray').open")
    chromium.press('Escape')
    chromium.said[:] = [line for line in chromium.said if '400' not in line]
    assert chromium.said == []


def test_a_refused_photo_is_a_sentence_and_the_page_goes_on(page, tmp_path):
    (tmp_path / 'notes.txt').write_text('no image')
    images.write_png(tmp_path / 'photo.png', np.zeros([20, 20, 3], np.uint8))
    chromium = page.open()
    chromium.click('#tab-find')
    node = chromium.call('DOM.querySelector', selector='#photo', nodeId=chromium.call(
        'DOM.getDocument')['root']['nodeId'])['nodeId']
    chromium.call('DOM.setFileInputFiles', nodeId=node, files=[str(tmp_path / 'notes.txt')])
    said = "document.querySelector('body > .said').textContent"
    chromium.wait(f"{said}.startsWith('notes.txt is not a readable')")
    chromium.call('DOM.setFileInputFiles', nodeId=node, files=[str(tmp_path / 'photo.png')])
    chromium.wait("!document.querySelector('#busy').hidden")
    chromium.click('#cancel')
    chromium.wait("document.querySelector('#busy').hidden")
    assert chromium.run(CAPTION) == 'seed 0 · psi 0.7'
    chromium.click('#wall li:nth-child(2) .tile')
    chromium.wait(f"{CAPTION} === 'seed 1 · psi 0.7'")
    chromium.said[:] = [line for line in chromium.said if '400' not in line]
    assert chromium.said == []


def test_all_of_it_works_by_keyboard(page):
    chromium = page.open()
    chromium.run("document.querySelector('#wall .tile').focus()")
    chromium.press('ArrowRight', 2)
    assert chromium.run(FOCUS % "getAttribute('aria-label')") == 'Product, seed 2 · psi 0.7'
    chromium.press('Enter')
    chromium.wait(f"{CAPTION} === 'seed 2 · psi 0.7'")
    assert chromium.run(FOCUS % 'id') == 'product'
    seen = []
    for _ in range(60):
        chromium.press('Tab')
        seen.append(chromium.run(FOCUS % 'id || document.activeElement.name || '
                                 "document.activeElement.className"))
        if seen[-1] == 'pca0':
            break
    assert 'keep' in seen and 'tab-change' in seen and 'pca0' in seen and 'chip' in ' '.join(seen)
    assert 'tab-mix' not in seen  # tabs are one stop, and arrow keys go on
    chromium.press('ArrowRight', 3)
    chromium.wait(f"{CAPTION}.includes('pca0=+0.')")
    chromium.run("document.querySelector('#tab-change').focus()")
    chromium.press('ArrowRight')
    assert chromium.run(FOCUS % 'id') == 'tab-mix'
    assert chromium.run("!document.querySelector('#mix').hidden")
    assert chromium.said == []


@pytest.mark.parametrize('width', [320, 390, 768, 1024, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    chromium = page.open(width=width, height=800, phone=width < 500)
    chromium.click('#wall .tile')
    chromium.wait(OPENED)
    for tab in ('change', 'mix', 'describe', 'find'):
        chromium.click(f'#tab-{tab}')
        wide = chromium.run(
            "[...document.querySelectorAll('main *')].filter(one => one.offsetParent)"
            '.filter(one => one.getBoundingClientRect().right > innerWidth + 0.5)'
            '.map(one => one.outerHTML.slice(0, 80))')
        assert wide == []
        assert chromium.run('document.documentElement.scrollWidth <= innerWidth')


def test_on_a_phone_a_product_takes_the_place_of_the_wall(page):
    chromium = page.open(width=390, height=800, phone=True)
    shown = "getComputedStyle(document.querySelector('%s')).display !== 'none'"
    assert chromium.run(shown % '#wall') and not chromium.run(shown % '#product')
    chromium.click('#wall li:nth-child(2) .tile')
    chromium.wait(shown % '#product')
    assert not chromium.run(shown % '#wall')
    chromium.run('history.back()')
    chromium.wait(shown % '#wall')
    chromium.click('#wall li:nth-child(2) .tile')
    chromium.wait(shown % '#product')
    chromium.click('#back')
    chromium.wait(shown % '#wall')


def test_a_client_that_goes_away_ends_its_work_and_others_go_on(page):
    address, headers = page.address, {'Origin': page.address[:-1]}
    for _ in range(3):  # each would take minutes
        leaving = requests.post(address + 'projected', json={'product': 0}, headers=headers,
                                stream=True)
        assert next(leaving.iter_lines())
        leaving.close()
    item = requests.get(address + 'wall?first=0&count=1&psi=1').json()['items'][0]['item']
    text = requests.post(address + 'described', headers=headers, timeout=30, json={
        'item': item, 'words': '', 'attempt': 0}).text
    assert 'event: result' in text


@pytest.mark.skipif(not AXE, reason='AXE does not name an axe.min.js, of the npm package axe-core')
@pytest.mark.parametrize('phone', [False, True])
@pytest.mark.parametrize('colours', ['light', 'dark'])
def test_axe_finds_no_barrier(page, phone, colours):
    chromium = page.open(phone=phone, width=390 if phone else 1280, media=[
        ('prefers-color-scheme', colours)])
    chromium.click('#wall .tile')
    chromium.wait(OPENED)
    chromium.run(pathlib.Path(AXE).read_text(encoding='utf-8') + ';1')
    for tab in ('mix', 'describe', 'find', 'change'):
        chromium.click(f'#tab-{tab}')
        if tab == 'find':
            chromium.wait("document.querySelectorAll('#found .tile').length > 0")
        assert chromium.run('axe.run().then(found => found.violations.map(one => one.id + " "'
                            ' + one.nodes.map(node => node.html)))') == []


def test_nothing_but_its_own_files_runs_and_loads(page):
    chromium = page.open()
    chromium.run("""(() => {
        const script = document.createElement('script');
        try { script.textContent = 'document.title = "inline"'; } catch (refused) { /* by types */ }
        document.head.append(script);
        const image = document.createElement('img');
        image.src = 'https://example.com/a.png';
        document.body.append(image);
        fetch('https://example.com/').catch(() => {});
    })()""")
    chromium.run("new Promise(done => setTimeout(done, 300))")
    assert chromium.run('document.title') != 'inline'
    blocked = ' '.join(chromium.said)
    assert 'img-src' in blocked and 'connect-src' in blocked
    chromium.said[:], chromium.asked[:] = [], [page.address]
