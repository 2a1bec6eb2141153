"""Any image file becomes upright RGB on white, or is refused; squares and sheets."""

import io
import os
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from dnnlib import images

RED, GREEN, BLUE, WHITE = (200, 30, 20), (20, 190, 40), (10, 40, 210), (255, 255, 255)


def _quarters(mode='RGB', size=(40, 24)):
    """Red, green over blue, white: an image whose turning and mirroring show."""
    picture = Image.new('RGB', size, WHITE)
    half = size[0] // 2, size[1] // 2
    for colour, corner in ((RED, (0, 0)), (GREEN, (half[0], 0)), (BLUE, (0, half[1]))):
        picture.paste(colour, corner + (corner[0] + half[0], corner[1] + half[1]))
    return picture.convert(mode)


def _corners(rgb):
    """The colours in the middle of the four quarters, row by row, as ints [4, 3]."""
    height, width, _ = rgb.shape
    return rgb[height // 4::height // 2, width // 4::width // 2].reshape(4, 3).astype(int)


def _check(rgb, expected, tolerance):
    assert rgb.dtype == np.uint8 and rgb.ndim == 3
    assert np.abs(_corners(rgb) - np.array(expected)).max() <= tolerance, _corners(rgb)


@pytest.mark.parametrize('mode, suffix, tolerance', [
    ('RGB', '.png', 0), ('RGB', '.bmp', 0), ('RGB', '.tif', 0), ('RGB', '.jpg', 6),
    ('RGB', '.webp', 12), ('RGBA', '.png', 0), ('P', '.png', 45), ('P', '.gif', 45),
    ('CMYK', '.jpg', 6), ('CMYK', '.tif', 2), ('YCbCr', '.jpg', 6)])
def test_colour_modes(tmp_path, mode, suffix, tolerance):
    path = tmp_path / ('a' + suffix)
    _quarters(mode).save(str(path), **({'quality': 95} if suffix in ('.jpg', '.webp') else {}))
    rgb = images.read_rgb(path)
    assert rgb.shape == (24, 40, 3)
    _check(rgb, [RED, GREEN, BLUE, WHITE], tolerance)


def test_grey_and_black_white(tmp_path):
    levels = np.array([[0, 100], [200, 255]], np.uint8).repeat(8, 0).repeat(8, 1)
    Image.fromarray(levels).save(str(tmp_path / 'grey.png'))
    assert np.array_equal(images.read_rgb(tmp_path / 'grey.png'), np.stack([levels] * 3, -1))
    Image.fromarray(levels > 128).save(str(tmp_path / 'bits.png'))
    assert np.array_equal(images.read_rgb(tmp_path / 'bits.png')[..., 0], (levels > 128) * 255)


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_sixteen_bit_is_scaled_not_clipped(tmp_path, suffix):
    levels = np.array([[0, 257 * 100], [257 * 200, 65535]], np.uint16).repeat(8, 0).repeat(8, 1)
    Image.fromarray(levels).save(str(tmp_path / ('a' + suffix)))
    _check(images.read_rgb(tmp_path / ('a' + suffix)),
           [[0] * 3, [100] * 3, [200] * 3, [255] * 3], 1)


def test_float_files_take_their_own_range(tmp_path):
    levels = np.array([[0, 0.25], [0.5, 0.5]], np.float32).repeat(8, 0).repeat(8, 1)
    Image.fromarray(levels).save(str(tmp_path / 'a.tif'))
    _check(images.read_rgb(tmp_path / 'a.tif'), [[0] * 3, [127] * 3, [255] * 3, [255] * 3], 1)


def test_transparency_lies_on_white(tmp_path):
    alpha = Image.fromarray(
        np.array([[255, 0], [0, 128]], np.uint8).repeat(12, 0).repeat(20, 1))
    picture = _quarters('RGBA')
    picture.paste((0, 0, 0, 255), (20, 12, 40, 24))  # half transparent black
    picture.putalpha(alpha)
    picture.save(str(tmp_path / 'a.png'))
    _check(images.read_rgb(tmp_path / 'a.png'), [RED, WHITE, WHITE, [127] * 3], 1)
    grey = Image.merge('LA', [Image.new('L', (40, 24), 60), alpha])
    grey.save(str(tmp_path / 'b.png'))
    _check(images.read_rgb(tmp_path / 'b.png'), [[60] * 3, WHITE, WHITE, [157] * 3], 1)


def test_transparent_palette_colour_is_white(tmp_path):
    picture = Image.new('P', (40, 24), 0)
    picture.putpalette([0, 0, 0] + list(RED) + [0] * 750)
    picture.paste(1, (0, 0, 20, 12))
    picture.save(str(tmp_path / 'a.png'), transparency=0)
    _check(images.read_rgb(tmp_path / 'a.png'), [RED, WHITE, WHITE, WHITE], 0)


@pytest.mark.parametrize('orientation, expected', [
    (1, [RED, GREEN, BLUE, WHITE]), (2, [GREEN, RED, WHITE, BLUE]),
    (3, [WHITE, BLUE, GREEN, RED]), (4, [BLUE, WHITE, RED, GREEN]),
    (5, [RED, BLUE, GREEN, WHITE]), (6, [BLUE, RED, WHITE, GREEN]),
    (7, [WHITE, GREEN, BLUE, RED]), (8, [GREEN, WHITE, RED, BLUE])])
def test_exif_orientation(tmp_path, orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    _quarters().save(str(tmp_path / 'a.jpg'), quality=95, exif=exif.tobytes())
    rgb = images.read_rgb(tmp_path / 'a.jpg')
    assert rgb.shape == ((40, 24, 3) if orientation > 4 else (24, 40, 3))
    _check(rgb, expected, 10)


def _profile(swapped=False, space='RGB'):
    """An ICC profile: sRGB, sRGB with red and blue exchanged, or grey with a gamma of 1."""
    if space == 'GRAY':
        return _grey_profile()
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes())
    count, = struct.unpack('>I', data[128:132])
    places = {bytes(data[place:place + 4]): place + 4 for place in range(132, 132 + 12 * count, 12)}
    if swapped:  # each entry of the table says where in the file the colour of a channel stands
        red, blue = places[b'rXYZ'], places[b'bXYZ']
        data[red:red + 4], data[blue:blue + 4] = data[blue:blue + 4], data[red:red + 4]
    return bytes(data)


def _grey_profile():
    """The smallest grey ICC profile: a white point and a linear curve."""
    white = b'XYZ ' + bytes(4) + struct.pack('>3i', 63190, 65536, 54061)
    curve = b'curv' + bytes(4) + struct.pack('>I', 0)
    table = struct.pack('>I', 2) + b'wtpt' + struct.pack('>II', 156, len(white)) \
        + b'kTRC' + struct.pack('>II', 156 + len(white), len(curve))
    body = table + white + curve
    header = struct.pack('>I', 128 + len(body)) + bytes(4) + b'\x02\x40\0\0mntrGRAYXYZ ' \
        + bytes(12) + b'acsp' + bytes(28) + struct.pack('>3i', 63190, 65536, 54061) + bytes(48)
    return header + body


@pytest.mark.parametrize('suffix, mode, tolerance', [
    ('.png', 'RGB', 1), ('.jpg', 'RGB', 8), ('.tif', 'RGBA', 1), ('.png', 'P', 45),
    ('.webp', 'RGB', 12)])
def test_colours_are_those_of_the_icc_profile(tmp_path, suffix, mode, tolerance):
    exchanged = Image.fromarray(np.asarray(_quarters())[..., ::-1]).convert(mode)
    more = {'quality': 95} if suffix in ('.jpg', '.webp') else {}
    exchanged.save(str(tmp_path / ('a' + suffix)), icc_profile=_profile(swapped=True), **more)
    _check(images.read_rgb(tmp_path / ('a' + suffix)), [RED, GREEN, BLUE, WHITE], tolerance)


def test_grey_profiles_count_and_transparency_stays(tmp_path):
    Image.new('L', (8, 8), 55).save(str(tmp_path / 'a.png'), icc_profile=_profile(space='GRAY'))
    assert abs(int(images.read_rgb(tmp_path / 'a.png')[0, 0, 0]) - 128) <= 2  # 55 / 255, linear
    picture = Image.new('RGB', (40, 24), BLUE[::-1])
    picture.paste(RED, (0, 0, 20, 12))
    picture.save(str(tmp_path / 'b.png'), transparency=RED, icc_profile=_profile(swapped=True))
    _check(images.read_rgb(tmp_path / 'b.png'), [WHITE, BLUE, BLUE, BLUE], 1)


@pytest.mark.parametrize('profile', [
    b'junk', _profile()[:300], _profile(), _profile(space='GRAY')],
                         ids=['junk', 'cut', 'sRGB', 'grey'])
def test_images_in_srgb_or_with_a_useless_profile_stay_as_they_are(tmp_path, profile):
    _quarters().save(str(tmp_path / 'a.png'), icc_profile=profile)
    assert np.array_equal(images.read_rgb(tmp_path / 'a.png'), np.asarray(_quarters()))


@pytest.mark.parametrize('kind', ['PPM', 'ICO', 'TGA', 'PCX', 'EPS', 'PDF', 'JPEG2000'])
def test_other_formats_are_not_opened_whatever_their_name(tmp_path, kind):
    _quarters().save(str(tmp_path / 'a.jpg'), format=kind)
    with pytest.raises(images.Unreadable, match=r'a.jpg is not a readable image \(no JPEG, PNG'):
        images.read_rgb(tmp_path / 'a.jpg')
    with pytest.raises(images.Unreadable, match=r'a.jpg is not a readable image'):
        images.read_origin(tmp_path / 'a.jpg')


def test_fifos_devices_and_odd_names_are_refused_at_once(tmp_path):
    os.mkfifo(str(tmp_path / 'fifo.jpg'))
    for path in (tmp_path / 'fifo.jpg', '/dev/zero', '/dev/tty'):
        with pytest.raises(images.Unreadable, match='is not a readable image'):
            images.read_rgb(path)
    with pytest.raises(images.Unreadable, match=r'a\\x1b\[31m.jpg does not exist'):
        images.read_rgb(tmp_path / 'a\x1b[31m.jpg')


def test_images_of_too_many_pixels_are_refused(tmp_path, monkeypatch):
    Image.new('RGB', (2000, 1000)).save(str(tmp_path / 'a.jpg'))
    monkeypatch.setattr(images, '_MAX_PIXELS', 10 ** 6)
    with pytest.raises(images.Unreadable, match='2000 x 1000 pixels are too many'):
        images.read_rgb(tmp_path / 'a.jpg')
    picture, size = images.open_sized(tmp_path / 'a.jpg', draft=400)
    assert picture.size == (1000, 500) and size == (2000, 1000)


def test_draft_decodes_large_photos_smaller_but_large_enough(tmp_path):
    _quarters(size=(1600, 960)).save(str(tmp_path / 'a.jpg'), quality=95)
    picture = images.open_rgb(tmp_path / 'a.jpg', draft=100)
    assert 100 <= min(picture.size) < 960
    _check(np.asarray(picture), [RED, GREEN, BLUE, WHITE], 6)


def test_animations_show_their_first_frame(tmp_path):
    frames = [Image.new('RGB', (8, 8), colour) for colour in (RED, BLUE)]
    frames[0].save(str(tmp_path / 'a.gif'), save_all=True, append_images=frames[1:])
    _check(images.read_rgb(tmp_path / 'a.gif'), [RED] * 4, 8)


@pytest.mark.parametrize('content', [b'', b'not an image\n', b'\xff\xd8\xff\xe0', b'GIF89a'])
def test_what_is_no_image_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / 'a.jpg'
    path.write_bytes(content)
    with pytest.raises(images.Unreadable, match=r'a.jpg is not a readable image') as caught:
        images.read_rgb(path)
    assert '\n' not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(images.Unreadable, match=r'b.jpg does not exist'):
        images.read_rgb(tmp_path / 'b.jpg')
    with pytest.raises(images.Unreadable):
        images.read_rgb(tmp_path)


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'GIF', 'TIFF', 'BMP', 'WEBP'])
def test_damaged_files_are_read_or_refused_but_never_crash(tmp_path, kind):
    whole = io.BytesIO()
    exif = {'exif': b'Exif\0\0' + Image.Exif().tobytes()} if kind == 'JPEG' else {}
    _quarters().save(whole, format=kind, **exif)
    random, path = np.random.RandomState(5), tmp_path / 'a'
    refused = 0
    for _ in range(60):
        data = np.frombuffer(whole.getvalue(), np.uint8).copy()
        data[random.randint(0, len(data), 4)] = random.randint(0, 256, 4)
        path.write_bytes(data[:random.randint(len(data) // 2, len(data) + 1)].tobytes())
        try:
            images.read_rgb(path)
        except images.Unreadable:
            refused += 1
    assert refused > 0


def test_square_pads_with_white():
    wide = images.square(Image.new('RGB', (400, 100), RED), 64)
    assert wide.shape == (64, 64, 3) and wide.dtype == np.uint8
    assert (wide[24:40] == RED).all()
    assert (wide[:24] == 255).all() and (wide[40:] == 255).all()
    tall = images.square(np.full([100, 400, 3], BLUE, np.uint8).transpose(1, 0, 2), 64)
    assert (tall[:, 24:40] == BLUE).all() and (tall[:, :24] == 255).all()


def test_square_crops_the_centre():
    picture = Image.new('RGB', (300, 100), BLUE)
    picture.paste(RED, (100, 0, 200, 100))
    cropped = images.square(picture, 50, 'crop')[:, 2:-2].astype(int)  # the seam is smoothed
    assert np.abs(cropped - RED).max() <= 3


@pytest.mark.parametrize('size', [(1, 1000), (1000, 1), (1, 1), (33, 77)])
@pytest.mark.parametrize('fit', ['pad', 'crop'])
def test_square_takes_any_shape(size, fit):
    assert images.square(Image.new('RGB', size, RED), 16, fit).shape == (16, 16, 3)


def test_floats_become_the_bytes_they_came_from():
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(images.to_rgb(values * np.float32(2 / 255) - 1), values)
    assert images.to_rgb([-7.0, 0.0, 1.01, 9]).tolist() == [0, 128, 255, 255]  # 127.5 goes to even


def test_grid_goes_row_by_row():
    pictures = np.arange(5, dtype=np.uint8)[:, np.newaxis, np.newaxis, np.newaxis] * np.ones(
        [1, 2, 3, 3], np.uint8)
    sheet = images.grid(pictures, 3, gap=1)
    assert sheet.shape == (2 * 2 + 1, 3 * 3 + 2, 3)
    for index in range(5):
        y, x = index // 3 * 3, index % 3 * 4
        assert (sheet[y:y + 2, x:x + 3] == index).all()
    assert (sheet[2] == 255).all() and (sheet[:, [3, 7]] == 255).all()  # the gaps
    assert (sheet[3:, 8:] == 255).all()  # the empty place


def test_enlarge_repeats_pixels():
    rgb = np.random.RandomState(0).randint(0, 256, [2, 3, 4, 3]).astype(np.uint8)
    large = images.enlarge(rgb, 3)
    assert large.shape == (2, 9, 12, 3)
    assert all(np.array_equal(large[:, i::3, j::3], rgb) for i in range(3) for j in range(3))


def test_png_reads_back(tmp_path):
    rgb = np.random.RandomState(0).randint(0, 256, [5, 7, 3]).astype(np.uint8)
    images.write_png(tmp_path / 'new' / 'a.png', rgb)
    assert np.array_equal(images.read_rgb(tmp_path / 'new' / 'a.png'), rgb)
