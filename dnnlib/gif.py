"""Animated GIF: frames that every mail program and web page plays in a loop."""

import numpy as np
from PIL import Image

from dnnlib import files
from dnnlib.origin import to_comment


def write_gif(path, frames, *, fps=15, origin=None):
    """Write frames as a GIF that loops for ever, whole or not at all; return how many there were.

    frames: iterable, at least one, of uint8 [height, width, 3] of one size.
    fps:    frames per second; GIF counts in hundredths of a second, so 100 / fps is rounded.
    origin: flat dict that travels in the file as its comment; see `dnnlib.origin`.
    All frames share 256 colours, those of a few of them side by side: colours of their own for
    each frame would flicker.
    """
    frames = list(frames)
    assert frames and all(frame.shape == frames[0].shape for frame in frames), 'no frames to show'
    seen = np.concatenate(frames[::max(1, len(frames) // 16)])
    colours = Image.fromarray(seen).quantize(256)
    first, *others = [Image.fromarray(frame).quantize(palette=colours) for frame in frames]
    told = {'comment': to_comment(origin).encode('ascii')} if origin else {}
    with files.replacing(path) as temporary:
        first.save(str(temporary), format='GIF', save_all=True, append_images=others, loop=0,
                   duration=int(round(100 / fps)) * 10, **told)
    return len(frames)
