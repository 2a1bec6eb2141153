"""Busy places, for product shots that a studio would refuse: brick wall, hedge, room, shelves.

Each function takes (size, rng) and returns sRGB float32 [size, size, 3], 0..255.
"""

import numpy as np
from PIL import Image, ImageDraw

from catalog.demo.draw import canvas


def _ink(rgb, light=1.0):
    """A colour as the tuple of integers that Pillow wants."""
    return tuple(np.clip(np.asarray(rgb) * light, 0, 255).astype(int).tolist())


def _bricks(size, rng):
    """A brick wall seen straight on."""
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
    """Leaves upon leaves."""
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
    """Striped wallpaper, a boarded floor, and frames, windows and furniture before them."""
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
    """Shelves of boxes, bottles and bright things."""
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


def draw(size, rng):
    """One of the places, sRGB float32 [size, size, 3]. Consumes `rng`."""
    places = _bricks, _hedge, _room, _shelves
    return places[rng.randint(len(places))](size, rng)
