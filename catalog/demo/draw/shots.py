"""Product shots, good and bad: a clear kind of bad shot for each rule of pruning.

`small`, `composition`, `background` and `not-product` are images. `unreadable` is a file that is
not an image, and `duplicate` re-encodes the image of another product, so these two are bytes.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from catalog.demo.draw import canvas, garments, prints
from catalog.demo.draw.garments import Placement

# Fractions of the bad shots.
KINDS = {'small': 0.17, 'composition': 0.2, 'background': 0.2, 'not-product': 0.2,
         'unreadable': 0.08, 'duplicate': 0.15}
_MESSAGES = ('NO IMAGE', 'IMAGE COMING SOON', 'NO PHOTO AVAILABLE', '')
_PAGE = b'<html><head><title>404 Not Found</title></head><body>No such image.</body></html>\n'


def jpeg(rgb, quality=92):
    """uint8 [h, w, 3] -> the bytes of a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, format='JPEG', quality=quality)
    return stream.getvalue()


def _small(garment, size, rng):
    """A good shot, but 90 to 250 pixels wide and high, sometimes with strips cut off its sides."""
    side = rng.randint(90, 251)
    picture = garments.render(garment, size=side, rng=rng)
    strip = int(side * rng.choice([0, 0, 0.06]))
    return picture[:, strip:side - strip]


def _composition(garment, size, rng):
    """Tiny in a corner, or so far off centre that the frame cuts the product in two."""
    x, y = rng.choice([-1, 1], 2)
    if rng.uniform() < 0.5:
        x, y, extent = 0.29 * x, 0.29 * y, rng.uniform(0.24, 0.34)
    else:
        far, extent = rng.uniform(0.30, 0.40), rng.uniform(0.85, 1.05)
        x, y = (far * x, 0.04 * y) if rng.uniform() < 0.5 else (0.04 * x, far * y)
    picture = garments.product(garment, size=size, rng=rng,
                               placement=Placement(0.5 + x, 0.5 + y, extent))
    return garments.on_scene(picture, garments.backdrop(size, rng))


def _ink(rgb, light=1.0):
    """A colour as the tuple of integers that Pillow wants."""
    return tuple(np.clip(np.asarray(rgb) * light, 0, 255).astype(int).tolist())


def _bricks(size, rng):
    """A brick wall."""
    y, x = np.mgrid[:size, :size] / (size / rng.randint(11, 17))
    row = np.floor(y).astype(int)
    x = x / 2.2 + 0.5 * (row % 2)
    tones = rng.normal(0, 22, (64, 64))[row % 64, np.floor(x).astype(int) % 64]
    base = np.array([(150, 74, 56), (118, 96, 84), (164, 118, 82)][rng.randint(3)])
    rough = 9 * canvas.noise(size, (size // 4, size // 4), rng)
    wall = base + (tones + rough)[..., None]
    joint = (y % 1 < 0.12) | (x % 1 < 0.055)
    return np.where(joint[..., None], 196, wall).astype(np.float32)


def _hedge(size, rng):
    """Overlapping leaves."""
    image = Image.new('RGB', (size, size), (28, 48, 26))
    draw = ImageDraw.Draw(image)
    turn = np.linspace(0, 2 * np.pi, 14)
    oval = np.stack([np.cos(turn), 0.4 * np.sin(turn)])
    for _ in range(520):
        angle = rng.uniform(0, 2 * np.pi)
        rotation = [(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))]
        leaf = rng.uniform(0.03, 0.08) * oval.T.dot(rotation)
        points = (leaf + rng.uniform(-0.05, 1.05, 2)) * size
        green = (rng.randint(60, 120), 140, 58)
        draw.polygon([tuple(point) for point in points.tolist()],
                     fill=_ink(green, rng.uniform(0.45, 1.25)))
    return np.asarray(image, np.float32)


def _room(size, rng):
    """Striped wallpaper and a boarded floor behind frames, windows and furniture."""
    paper, wood, cloth = rng.randint(90, 200, 3)[None, :] + rng.randint(
        -35, 36, (3, 3))
    image = Image.new('RGB', (size, size), _ink(paper))
    draw = ImageDraw.Draw(image)
    step = size // rng.randint(14, 22)
    for x in range(0, size, step):
        draw.rectangle([x, 0, x + step // 2, size], fill=_ink(paper, 0.75))
    floor = int(size * rng.uniform(0.68, 0.78))
    for y in range(floor, size, max(4, size // 32)):
        fill = _ink((120, 82, 50), rng.uniform(0.6, 1.2))
        draw.rectangle([0, y, size, y + size // 32], fill=fill)
    for _ in range(rng.randint(6, 10)):
        x, y = rng.uniform(-0.1, 0.85, 2) * (size, floor)
        width, height = rng.uniform(0.12, 0.34, 2) * size
        fills = _ink(wood, rng.uniform(0.2, 0.6)), _ink(cloth, 1.25), _ink(cloth, 0.6)
        for inset, fill in zip((0, 0.08, 0.3), fills):
            draw.rectangle([x + inset * width, y + inset * height,
                            x + (1 - inset) * width, y + (1 - inset) * height], fill=fill)
    rough = 4 * canvas.noise(size, (size // 3, size // 3), rng)
    return np.asarray(image, np.float32) + rough[..., None]


def _shelves(size, rng):
    """Shelves of colourful boxes and bottles."""
    image = Image.new('RGB', (size, size), (70, 58, 48))
    draw = ImageDraw.Draw(image)
    rows = rng.randint(4, 7)
    for row in range(rows):
        bottom, x = (row + 1) * size / rows, -5.0
        while x < size:
            width = rng.uniform(0.03, 0.11) * size
            height = rng.uniform(0.35, 0.9) * size / rows
            shape = draw.ellipse if rng.uniform() < 0.25 else draw.rectangle
            shape([x, bottom - height, x + width, bottom], outline=(30, 26, 24),
                  fill=_ink(rng.randint(30, 250, 3)))
            x += width * rng.uniform(1.0, 1.3)
        draw.rectangle([0, bottom - size // 60, size, bottom], fill=(150, 116, 80))
    return np.asarray(image, np.float32)


def _scene(size, rng):
    """A cluttered scene: a brick wall, a hedge, a room or shelves, sRGB float32 [size, size, 3]."""
    places = _bricks, _hedge, _room, _shelves
    return places[rng.randint(len(places))](size, rng)


def _background(garment, size, rng):
    """A centred product in a cluttered scene."""
    scene = _scene(size, rng).transpose(2, 0, 1)
    placement = Placement(extent=rng.uniform(0.72, 0.84))
    picture = garments.product(garment, size=size, rng=rng, placement=placement)
    return garments.on_scene(picture, scene)


def _lettering(text, width):
    """A mask [h, width] of the text in Pillow's built-in font."""
    card = Image.new('L', (12 * len(text), 20))
    ImageDraw.Draw(card).text((2, 2), text, font=ImageFont.load_default(), fill=255)
    card = card.crop(card.getbbox())
    return card.resize((width, max(1, card.size[1] * width // card.size[0])), Image.BICUBIC)


def _placeholder(size, rng):
    """A placeholder card, with or without a text and an icon."""
    tone = rng.randint(205, 246)
    image = Image.new('RGB', (size, size), (tone, tone, tone + 3))
    text, ink = _MESSAGES[rng.randint(len(_MESSAGES))], (tone - 60,) * 3
    if not text:
        return np.asarray(image)
    letters = _lettering(text, int(0.4 * size))
    image.paste(ink, ((size - letters.size[0]) // 2, int(0.58 * size)), letters)
    if rng.uniform() < 0.7:  # the usual icon: frame, sun and hill
        half = size * rng.uniform(0.07, 0.11)
        left, top, right, bottom = (size * 0.5 - half, size * 0.44 - half * 0.75,
                                    size * 0.5 + half, size * 0.44 + half * 0.75)
        draw = ImageDraw.Draw(image)
        draw.rectangle([left, top, right, bottom], outline=ink, width=max(2, size // 110))
        draw.ellipse([left + half * 0.3, top + half * 0.2, left + half * 0.7, top + half * 0.6],
                     fill=ink)
        draw.polygon([(left, bottom), (left + half * 0.8, top + half * 0.7),
                      (left + half * 1.3, bottom)], fill=ink)
    return np.asarray(image)


def _swatch(garment, size, rng):
    """A close-up of the fabric that fills the frame."""
    paint, _, _ = prints.of(garment, rng, size=size)
    zoom, turn = rng.uniform(0.25, 0.6), rng.uniform(-0.6, 0.6)
    y, x = np.mgrid[:size, :size].astype(np.float32) * (100 * zoom / size)
    bend = 0.7 * canvas.noise(size, (5, 5), rng)
    cos, sin = np.cos(turn), np.sin(turn)
    colour = paint(x * cos - y * sin + 2 * bend, x * sin + y * cos + 2 * bend, 0 * x, 'swatch')
    weave = np.sin(np.mgrid[:size, :size].sum(0) * (np.pi * 0.6))
    light = 1 + 0.16 * bend + 0.025 * weave + 0.04 * rng.normal(0, 1, (size, size))
    cloth = np.clip(colour * light + 14 * (light - 1), 0, 255)
    return cloth.astype(np.uint8).transpose(1, 2, 0)


def _not_product(garment, size, rng):
    """A placeholder card or a close-up of the fabric."""
    if rng.uniform() < 0.5:
        return _placeholder(size, rng)
    return _swatch(garment, size, rng)


_BAD = {'small': _small, 'composition': _composition, 'background': _background,
        'not-product': _not_product}


def unreadable(good, rng):
    """Bytes that are not an image: none, a truncated JPEG `good`, or a web page."""
    share = rng.uniform(0.2, 0.7)
    return (b'', good[:int(len(good) * share)], _PAGE)[rng.randint(3)]


def duplicate(rgb, rng):
    """uint8 [h, w, 3] as a JPEG of lower quality, sometimes a little larger."""
    side = int(len(rgb) * rng.choice([1.0, 1.05, 1.1]))
    again = Image.fromarray(np.ascontiguousarray(rgb)).resize((side, side), Image.BICUBIC)
    return jpeg(np.asarray(again), quality=int(rng.randint(76, 90)))


def picture(kind, garment, *, size, rng):
    """A shot uint8 [h, w, 3]: 'good', or one of the four bad kinds that are images."""
    if kind == 'good':
        return garments.render(garment, size=size, rng=rng)
    return _BAD[kind](garment, size, rng)
