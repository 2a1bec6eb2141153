import numpy as np
import pytest
from PIL import Image

from catalog.prune import sheets


def pictures(folder, count):
    folder.mkdir()
    paths = [folder / f'{index:03d}.png' for index in range(count)]
    for index, path in enumerate(paths):
        tone = np.full([30, 20, 3], (2 * index, 0, 255 - 2 * index), np.uint8)
        Image.fromarray(tone).save(str(path))
    return [(path, path.name, f'score {index}') for index, path in enumerate(paths)]


def colour(page, place):
    """The middle of the image at this place of a page of ten columns."""
    step = page.width // 10
    rows = 6 if page.height > 5 * step else 1
    x, y = place % 10 * step + step // 2, place // 10 * (page.height // rows) + step // 2
    return np.asarray(page)[y, x].astype(int)


def test_pages_hold_sixty_images_in_order(tmp_path):
    shown = pictures(tmp_path / 'p', 63)
    sheets.write(tmp_path / 's', {'good': shown, 'small': []})
    assert sorted(p.name for p in (tmp_path / 's').iterdir()) == ['good-001.jpg', 'good-002.jpg']
    first, second = [Image.open(str(tmp_path / 's' / f'good-00{n}.jpg')) for n in (1, 2)]
    for page, place, index in ((first, 0, 0), (first, 59, 59), (second, 0, 60), (second, 2, 62)):
        assert np.abs(colour(page, place) - (2 * index, 0, 255 - 2 * index)).max() < 12
    assert first.width == second.width and first.height > 5 * second.height
    assert (np.asarray(second)[:, second.width // 2:] > 240).all()  # the rest of the page is empty


def test_captions_are_drawn_for_any_name(tmp_path):
    (path, _, _), = pictures(tmp_path / 'p', 1)
    sheets.write(tmp_path / 's', {'good': [(path, f"{'платье-' * 20}x.png", 'clutter 3.2')]})
    page = np.asarray(Image.open(str(tmp_path / 's' / 'good-001.jpg')))
    assert (page[152:, :150] < 128).any(axis=(1, 2)).sum() > 10  # two lines of ink
    assert (page[152:, 160:] > 200).all()  # that stay under their image


def test_a_rerun_replaces_its_own_pages_and_nothing_else(tmp_path):
    shown = pictures(tmp_path / 'p', 61)
    (tmp_path / 's').mkdir()
    (tmp_path / 's' / 'mine.jpg').write_bytes(b'a file of the user')
    sheets.write(tmp_path / 's', {'good': shown})
    sheets.write(tmp_path / 's', {'good': shown[:1]})
    assert sorted(p.name for p in (tmp_path / 's').iterdir()) == ['good-001.jpg', 'mine.jpg']


def test_unreadable_images_have_an_empty_tile(tmp_path):
    (tmp_path / 'x.jpg').write_bytes(b'')
    sheets.write(tmp_path / 's', {'unreadable': [(tmp_path / 'x.jpg', 'x.jpg', 'unreadable')]})
    page = np.asarray(Image.open(str(tmp_path / 's' / 'unreadable-001.jpg')))
    assert page[:150, :150].std() < 2 and 200 < page[:150, :150].mean() < 240


def test_overview_has_a_row_for_each_group_that_has_images(tmp_path):
    shown = pictures(tmp_path / 'p', 30)
    sheets.write_overview(tmp_path / 'o.jpg', {'good': shown, 'small': [], 'background': shown[:2]},
                          columns=4)
    page = np.asarray(Image.open(str(tmp_path / 'o.jpg'))).astype(int)
    row = page.shape[0] // 2
    first = [page[90, 75 + 156 * place] for place in range(4)]
    assert [int(pixel[0]) // 2 for pixel in first] == pytest.approx([0, 7, 15, 22], abs=3)
    assert (page[row + 90, 75 + 156 * 3] > 240).all()  # two images, then nothing
