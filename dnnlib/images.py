"""Images: any file to sRGB, squares, grids, PNG and JPEG that tell their origin.

Everywhere in the project `rgb` means uint8 [height, width, 3], and `image` float32 in [-1, 1].
Every image file of the project is opened by `opened`, which decides what may be opened at all.
"""

import contextlib
import functools
import io
import os
import stat
import struct
import warnings

import numpy as np
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from dnnlib import files, progress

Image.init()
# The others, PostScript above all, are formats of documents and programs, whatever their suffix.
FORMATS = tuple(name for name in ('JPEG', 'PNG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'AVIF')
                if name in Image.OPEN)
SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff',
            '.avif')
_OTHER_SUFFIXES = ('.heic', '.heif', '.jp2', '.jxl', '.psd', '.ppm', '.pgm', '.pnm', '.tga',
                   '.raw', '.dng', '.cr2', '.cr3', '.nef', '.arw')  # photos that must be converted
_SIGNATURES = (b'\xff\xd8\xff', b'\x89PNG\r\n', b'GIF8', b'II*\0', b'MM\0*')
_MAX_PIXELS = 100 * 10 ** 6     # of a decoded image; beyond lie mistakes and decompression bombs
_ORIENTATION = 0x0112           # the EXIF tag
_UPRIGHT = dict(zip(range(2, 9), (  # its values: the turn that makes the image upright
    Image.FLIP_LEFT_RIGHT, Image.ROTATE_180, Image.FLIP_TOP_BOTTOM, Image.TRANSPOSE,
    Image.ROTATE_270, Image.TRANSVERSE, Image.ROTATE_90)))
_RESAMPLE = getattr(Image, 'Resampling', Image).LANCZOS
_SRGB = ImageCms.createProfile('sRGB')
_SPACES = {'RGB': 'RGB ', 'RGBA': 'RGB ', 'L': 'GRAY', 'CMYK': 'CMYK'}  # Pillow mode: ICC name


class Unreadable(files.UserError):
    """The file is no image that can be read. reason: why not, a few words."""

    def __init__(self, path, reason):
        self.reason = files.printable(' '.join(reason.split()))
        super().__init__(f'{files.printable(path)} {self.reason}')


def is_photo(path):
    """Whether a file is meant as a photo: by its suffix or, if that is unknown, by its first bytes.

    Formats that cannot be read here count as well: a photo is reported as unreadable, not ignored.
    """
    if path.suffix.lower() in SUFFIXES + _OTHER_SUFFIXES:
        return not path.is_dir()
    try:
        with _regular_file(path) as stream:
            head = stream.read(12)
    except OSError:
        return False
    return (head.startswith(_SIGNATURES) or (head[:2] == b'BM' and head[6:10] == bytes(4))
            or head[:4] + head[8:] == b'RIFFWEBP' or head[4:] in (b'ftypavif', b'ftypheic'))


def _without_blocking(name, flags):
    return os.open(name, flags | getattr(os, 'O_NONBLOCK', 0))


@contextlib.contextmanager
def _regular_file(path):
    """An open binary file; OSError for what could block or act: FIFOs, devices, sockets."""
    if not stat.S_ISREG(os.stat(str(path)).st_mode):
        raise OSError('no regular file')
    with open(str(path), 'rb', opener=_without_blocking) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # exchanged since
            raise OSError('no regular file')
        yield stream


@contextlib.contextmanager
def opened(path):
    """An image file as a Pillow image of which the header has been read.

    Only files of FORMATS are opened. Raises Unreadable, also for errors inside of the block.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Pillow warns about odd metadata that we do not use
            with _regular_file(path) as stream, Image.open(stream, formats=FORMATS) as picture:
                yield picture
    except FileNotFoundError:
        raise Unreadable(path, 'does not exist')
    except Image.UnidentifiedImageError:
        raise Unreadable(path, f"is not a readable image (no {', '.join(FORMATS)})")
    except OSError as error:
        raise Unreadable(path, f'is not a readable image ({error.strerror or error})')
    except (ValueError, SyntaxError, MemoryError, Image.DecompressionBombError, ArithmeticError,
            LookupError, AttributeError, TypeError, RuntimeError, struct.error) as error:
        raise Unreadable(path, f'is not a readable image ({error or type(error).__name__})')


@functools.lru_cache(maxsize=16)
def _to_srgb(profile, mode):
    """The transform of an ICC profile (bytes) from a Pillow mode to sRGB.

    None where there is nothing to convert: the profile is broken, belongs to another mode, or is
    sRGB but for rounding, as most are.
    """
    try:
        known = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if known.profile.xcolor_space != _SPACES.get(mode):
            return None
        result = 'RGBA' if mode == 'RGBA' else 'RGB'
        transform = ImageCms.buildTransform(known, _SRGB, mode, result)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if known.profile.xcolor_space != 'RGB ':
        return transform
    levels = np.stack(np.meshgrid(*[np.linspace(0, 255, 9)] * 3), -1).reshape(27, 27, 3)
    cube = Image.fromarray(levels.astype(np.uint8)).convert(mode)
    change = np.asarray(ImageCms.applyTransform(cube, transform)) - np.asarray(cube).astype(int)
    return transform if np.abs(change).max() > 2 else None


def _managed(picture, profile):
    """An image in the colours that its ICC profile gives it; without a usable one as it is."""
    if _is_transparent(picture):
        picture = picture.convert('RGBA')
    elif picture.mode == 'P':
        picture = picture.convert('RGB')
    transform = _to_srgb(profile, picture.mode)
    return ImageCms.applyTransform(picture, transform) if transform else picture


def _is_transparent(picture):
    return picture.mode in ('RGBA', 'LA', 'PA') or 'transparency' in picture.info


def _flatten(picture):
    """Any Pillow mode to RGB: alpha on white, 16 bit scaled down (Pillow itself would clip it)."""
    if picture.mode.startswith('I') or picture.mode == 'F':
        values = np.asarray(picture).astype(np.float64)
        # Integer modes are 16 bit files; a float file has no agreed range, so its own is taken.
        top = 65535 if picture.mode.startswith('I') else max(values.max(), 1e-12)
        values = np.clip(values * (255 / top), 0, 255).astype(np.uint8)
        return Image.fromarray(values).convert('RGB')
    if _is_transparent(picture):
        picture = picture.convert('RGBA')
        white = Image.new('RGBA', picture.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, picture).convert('RGB')
    return picture.convert('RGB')


def open_sized(path, draft=None):
    """An image as `open_rgb` gives it, and the (width, height) of the whole file, upright."""
    with opened(path) as picture:
        size = picture.size
        if draft:
            picture.draft('RGB', (draft, draft))
        if picture.width * picture.height > _MAX_PIXELS:
            raise ValueError(f'{picture.width} x {picture.height} pixels are too many')
        orientation = picture.getexif().get(_ORIENTATION)  # first: Pillow 9 cannot once it is read
        picture.load()
        if 'icc_profile' in picture.info:
            picture = _managed(picture, picture.info['icc_profile'])
        picture = _flatten(picture)
        if orientation in _UPRIGHT:
            picture = picture.transpose(_UPRIGHT[orientation])
        return picture, size[::-1] if orientation in (5, 6, 7, 8) else size


def open_rgb(path, draft=None):
    """An image file as a Pillow RGB image in sRGB, turned upright by its EXIF orientation.

    Grey, palette, CMYK, 16 bit and transparent images are converted, and so are the colours of
    an embedded ICC profile; of an animation the first frame counts. `draft` (pixels) lets a JPEG
    be decoded at a fraction of its size, but not smaller than that on a side.
    Raises Unreadable, also for more than 100 megapixels.
    """
    return open_sized(path, draft)[0]


def readable(paths, draft=None, what='images'):
    """Yield (index, image as by `open_rgb`) of all that can be read; prints how many cannot.

    what: what the progress bar says. Raises UserError if not one can be read.
    """
    errors = []
    for index, path in enumerate(progress.bar(paths, what=what, unit='image')):
        try:
            picture = open_rgb(path, draft)
        except Unreadable as error:
            errors.append(error)
        else:
            yield index, picture
    if errors and len(errors) == len(paths):
        raise files.UserError(f'none of the {len(paths)} images can be read, the first: '
                              f'{errors[0]}; give JPEG or PNG photos with --data')
    if errors:
        print(f'{len(errors)} of {len(paths)} images cannot be read and are left out, the first: '
              f'{errors[0]}')


def read_rgb(path):
    """An image file as uint8 [height, width, 3]; see `open_rgb`."""
    return np.asarray(open_rgb(path))


def square(picture, size, fit='pad'):
    """An image as uint8 [size, size, 3]: `pad` adds white around it, `crop` cuts out the centre.

    picture: a Pillow RGB image or uint8 [height, width, 3].
    """
    assert fit in ('pad', 'crop'), fit
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    if fit == 'crop':
        return np.asarray(ImageOps.fit(picture, (size, size), _RESAMPLE))
    scale = size / max(picture.size)
    small = [max(1, round(side * scale)) for side in picture.size]
    result = Image.new('RGB', (size, size), (255, 255, 255))
    result.paste(picture.resize(small, _RESAMPLE), ((size - small[0]) // 2, (size - small[1]) // 2))
    return np.asarray(result)


def to_rgb(image):
    """float in [-1, 1] -> uint8 of the same shape; half steps go to the even value."""
    return np.clip(np.rint((np.asarray(image) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def grid(pictures, columns, gap=0):
    """uint8 [n, h, w, 3] -> one image, row by row, `gap` white pixels between; the rest white.

    columns: at most so many.
    """
    pictures = np.asarray(pictures)
    count, height, width, channels = pictures.shape
    columns = min(columns, count)
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


def png(rgb, origin=None):
    """uint8 [height, width, 3] as the bytes of a PNG.

    origin: flat dict of strings and numbers that travels in the file, one text chunk each; see
            `runs.origin_of`. The same image and origin give the same bytes.
    """
    chunks, data = PngInfo(), io.BytesIO()
    for name, value in (origin or {}).items():
        chunks.add_text(name, str(value).encode('utf-8', 'backslashreplace').decode('utf-8'))
    Image.fromarray(rgb).save(data, format='PNG', pnginfo=chunks)
    return data.getvalue()


def write_png(path, rgb, origin=None):
    """Write what `png` gives, whole or not at all."""
    with files.replacing(path, durable=False) as temporary:
        temporary.write_bytes(png(rgb, origin))


def read_origin(path):
    """The origin in a PNG as a dict of strings; {} in an image without one."""
    with opened(path) as picture:
        picture.load()  # chunks behind the pixels count as well
        return dict(getattr(picture, 'text', {}))
