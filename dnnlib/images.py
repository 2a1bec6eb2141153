"""Pictures: any file to RGB, squares, grids, PNG and JPEG that tell their origin.

Everywhere in the project `rgb` means uint8 [height, width, 3], and `image` float32 in [-1, 1].
"""

import warnings

import numpy as np
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from dnnlib import files
from dnnlib.origin import from_comment, to_comment

SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff')
_RESAMPLE = getattr(Image, 'Resampling', Image).LANCZOS


class Unreadable(files.UserError):
    """The file is no picture that can be read."""


def _flatten(picture):
    """Any Pillow mode to RGB: alpha on white, 16 bit scaled down (Pillow itself would clip it)."""
    if picture.mode.startswith('I') or picture.mode == 'F':
        values = np.asarray(picture).astype(np.float64)
        # Integer modes are 16 bit files; a float file has no agreed range, so its own is taken.
        top = 65535 if picture.mode.startswith('I') else max(values.max(), 1e-12)
        values = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
        return Image.fromarray(values).convert('RGB')
    if picture.mode in ('RGBA', 'LA', 'PA') or 'transparency' in picture.info:
        picture = picture.convert('RGBA')
        white = Image.new('RGBA', picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, picture).convert('RGB')
    return picture.convert('RGB')


def open_rgb(path, draft=None):
    """A picture file as a Pillow RGB image, turned upright by its EXIF orientation.

    Grey, palette, CMYK, 16 bit and transparent pictures are converted; of an animation the first
    frame counts. `draft` (pixels) lets a JPEG be decoded at a fraction of its size, but not
    smaller than that on a side. Raises Unreadable.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Pillow warns about odd metadata that we do not use
            with Image.open(str(path)) as picture:
                if draft:
                    picture.draft('RGB', (draft, draft))
                picture.load()
                return _flatten(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise Unreadable(f'{path} does not exist')
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise Unreadable(f'{path} is not a readable picture ({reason})')


def read_rgb(path):
    """A picture file as uint8 [height, width, 3]; see `open_rgb`."""
    return np.asarray(open_rgb(path))


def square(picture, size, fit='pad'):
    """A picture as uint8 [size, size, 3]: `pad` adds white around it, `crop` cuts out the centre.

    picture: a Pillow RGB image or uint8 [height, width, 3].
    """
    assert fit in ('pad', 'crop'), fit
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    if fit == 'crop':
        return np.asarray(ImageOps.fit(picture, (size, size), _RESAMPLE))
    scale = size / max(picture.size)
    small = [max(1, int(round(side * scale))) for side in picture.size]
    result = Image.new('RGB', (size, size), (255, 255, 255))
    result.paste(picture.resize(small, _RESAMPLE), ((size - small[0]) // 2, (size - small[1]) // 2))
    return np.asarray(result)


def to_rgb(image):
    """float in [-1, 1] -> uint8 of the same shape; half steps go to the even value."""
    return np.clip(np.rint((np.asarray(image) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def grid(pictures, columns, gap=0):
    """uint8 [n, h, w, 3] -> one picture, row by row, `gap` white pixels between; the rest white."""
    pictures = np.asarray(pictures)
    count, height, width, channels = pictures.shape
    rows = -(-count // columns)
    sides = rows * (height + gap) - gap, columns * (width + gap) - gap
    sheet = np.full(sides + (channels,), 255, np.uint8)
    for index, picture in enumerate(pictures):
        y, x = index // columns * (height + gap), index % columns * (width + gap)
        sheet[y:y + height, x:x + width] = picture
    return sheet


def enlarge(rgb, factor):
    """uint8 [..., h, w, 3] with every pixel repeated `factor` x `factor` times."""
    return rgb.repeat(factor, axis=-3).repeat(factor, axis=-2)


def write_png(path, rgb, origin=None):
    """Write uint8 [height, width, 3] as PNG, whole or not at all.

    origin: flat dict of strings and numbers that travels in the file, one text chunk each; see
            `dnnlib.origin`. The same picture and origin give the same bytes.
    """
    chunks = PngInfo()
    for name, value in (origin or {}).items():
        chunks.add_text(name, str(value))
    with files.replacing(path, durable=False) as temporary:
        Image.fromarray(rgb).save(str(temporary), format='PNG', pnginfo=chunks)


def write_jpeg(path, rgb, origin=None, quality=90):
    """Write uint8 [height, width, 3] as JPEG, as `write_png` does; the origin is its comment."""
    more = {'comment': to_comment(origin)} if origin else {}
    with files.replacing(path, durable=False) as temporary:
        Image.fromarray(rgb).save(str(temporary), format='JPEG', quality=quality, **more)


def read_origin(path):
    """The origin in a PNG or JPEG as a dict of strings; {} in a picture that tells none."""
    with Image.open(str(path)) as picture:
        if picture.format == 'PNG':
            picture.load()  # chunks behind the pixels count as well
            return dict(picture.text)
        return from_comment(picture.info.get('comment', b''))
