"""The tray: what is saved is a catalogue, latent codes and a page; and what cannot be saved."""

import numpy as np
import pytest

from catalog import source
from dnnlib import files, images
from dnnlib.files import UserError
from explore import items, tray
from stylegan import latent


def _pick(seed, **more):
    ws = np.random.RandomState(seed).randn(4, 6).astype(np.float32)
    origin = {'seed': seed, 'psi': 0.7, 'edit': 'colour=red'}
    png = images.png(np.full([16, 16, 3], 20 * seed, np.uint8), dict(origin, synthetic='yes'))
    return dict({'item': items.item(ws, **origin), 'png': png, 'text': f'A dress, {seed}.',
                 'prompt': '', 'category': 'dress', 'tags': ['red', 'dress'],
                 'attributes': {'category': 'dress', 'colour': 'red'},
                 'probabilities': {'category': 1.0, 'colour': 0.9},
                 'agreement': {'category': True}, 'unjudged': []}, **more)


def test_a_saved_tray_is_a_catalogue_that_the_commands_take(tmp_path):
    picks = [_pick(seed) for seed in range(4)]
    folder = tray.save(tmp_path, 'my picks', picks, [('stylegan', 'a.npz')])
    assert folder == tmp_path / 'my picks'
    products = source.read(folder)
    assert [p.description for p in products] == [f'A dress, {seed}.' for seed in range(4)]
    assert {p.category for p in products} == {'dress'}
    assert dict(products[0].attributes) == {'colour': 'red'}
    for pick, product in zip(picks, products):
        assert images.read_origin(product.image)['edit'] == 'colour=red'
        assert product.image.read_bytes() == pick['png']
    styles = latent.read(folder / 'w.npz', 4, 6)
    assert np.array_equal(styles, np.stack([pick['item'].ws for pick in picks]))


def test_the_page_holds_its_images_and_needs_nothing_else(tmp_path):
    text = '</script><script>alert(1)</script>'
    tray.save(tmp_path, 'picks', [_pick(1, text=text), _pick(2, text='')], [])
    page = (tmp_path / 'picks' / 'index.html').read_text(encoding='utf-8')
    assert page.count('src="data:image/png;base64,') == 2 and 'http' not in page.lower().replace(
        'http-equiv', '')
    assert 'seed 1 · psi 0.7 · colour=red' in page and 'Make it again' not in page
    assert '<script>alert' not in page


@pytest.mark.parametrize('name', ['', '.', '../up', 'a/b', '.hidden', 'x' * 61, 'dot.', 'new\nline',
                                  'a\0b', 'C:\\x'])
def test_a_name_that_no_folder_should_have_is_refused(tmp_path, name):
    with pytest.raises(UserError, match='letters, digits, spaces and dashes'):
        tray.save(tmp_path / 'out', name, [_pick(1)], [])
    assert not list(tmp_path.iterdir())


def test_what_is_saved_is_never_written_over(tmp_path):
    tray.save(tmp_path, 'picks', [_pick(1)], [])
    with pytest.raises(UserError, match='already; give another name'):
        tray.save(tmp_path, 'picks', [_pick(2)], [])
    assert source.read(tmp_path / 'picks')[0].description == 'A dress, 1.'


def test_a_full_disk_leaves_nothing_half_saved(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(latent, 'save', full)
    with pytest.raises(files.DiskFull, match='make room'):
        tray.save(tmp_path, 'picks', [_pick(1)], [])
    assert list(tmp_path.iterdir()) == []
