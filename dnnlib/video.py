"""Videos: RGB frames to an H.264 MP4 that every browser and phone plays, or to an animated GIF.

The ffmpeg program comes with the `imageio-ffmpeg` package; its path can be set in the environment
variable IMAGEIO_FFMPEG_EXE.
"""

import contextlib
import itertools
import json

import imageio_ffmpeg
import numpy as np
from PIL import Image

from dnnlib import files
from dnnlib.files import UserError

_ADVICE = ('type `python -m pip install --force-reinstall imageio-ffmpeg`, or set '
           'IMAGEIO_FFMPEG_EXE to an ffmpeg program that has libx264')

_OPTIONS = [
    # Near lossless, since banding and blocks would show on plain studio backgrounds. The preset
    # takes half the time of the usual one, for files a tenth larger and half a decibel less.
    '-crf', '15', '-preset', 'veryfast',
    # Players guess the colour matrix from the image's size unless it is converted and named.
    '-vf', 'scale=out_color_matrix=bt709:out_range=tv',
    '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709',
    '-color_range', 'tv',
    '-movflags', '+faststart',  # the index comes first: play while loading
    '-threads', '1', '-fflags', '+bitexact', '-flags:v', '+bitexact',  # same frames, same bytes
]


@contextlib.contextmanager
def _explained(path):
    """Turn a failure of ffmpeg inside the block, which writes `path`, into one line."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        files.check_space(error, path)  # ffmpeg itself only ends
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f'no video, ffmpeg failed ({reason}); {_ADVICE}')


def _checked(frame, shape):
    assert isinstance(frame, np.ndarray) and frame.dtype == np.uint8, frame
    assert frame.shape == shape, f'frame {frame.shape} in a video of {shape}'
    return frame.tobytes()


def _comment(origin):
    """An origin as one line of ASCII, for formats that have room for a comment only."""
    return json.dumps({name: str(value) for name, value in origin.items()})


def _encode(path, frames, shape, fps, origin):
    """Send every frame to ffmpeg, which writes `path`; return how many there were."""
    height, width, _ = shape
    metadata = ['-metadata', 'comment=' + _comment(origin)] if origin else []
    encoder = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=fps, codec='libx264', pix_fmt_out='yuv420p', quality=None,
        macro_block_size=2, ffmpeg_log_level='quiet', output_params=_OPTIONS + metadata)
    count = 0
    with contextlib.closing(encoder):  # closing waits for ffmpeg
        with _explained(path):
            encoder.send(None)
        for frame in frames:  # outside the block above: what fails in here is not ffmpeg
            pixels = _checked(frame, shape)
            with _explained(path):
                encoder.send(pixels)
            count += 1
    return count


def write_mp4(path, frames, *, fps=30, origin=None):
    """Write frames as an H.264 video (yuv420p), whole or not at all; return how many there were.

    frames: iterable, at least one, of uint8 [height, width, 3] of one size, both sides even
            (colour is stored at half the resolution, and nothing is resized to make it fit).
    fps:    frames per second.
    origin: flat dict that travels in the file as its comment; see `runs.origin_of`.
    Raises UserError if ffmpeg does not run. The same frames and origin give the same bytes with
    the same ffmpeg.
    """
    frames = iter(frames)
    first = next(frames, None)
    assert first is not None, 'a video needs a frame'
    height, width, channels = first.shape
    assert height % 2 == 0 and width % 2 == 0 and channels == 3, first.shape
    with files.replacing(path) as temporary:
        count = _encode(temporary, itertools.chain([first], frames), first.shape, fps, origin)
        with _explained(temporary):  # its exit status is not passed on, so the file has to tell
            written, _ = imageio_ffmpeg.count_frames_and_secs(str(temporary))
        if written != count:
            raise UserError(f'no video, ffmpeg kept {written} of {count} frames; {_ADVICE}')
    return count


def write_gif(path, frames, *, fps=15, origin=None):
    """Write frames as a GIF that loops for ever, whole or not at all; return how many there were.

    frames: iterable, at least one, of uint8 [height, width, 3] of one size.
    fps:    frames per second; GIF counts in hundredths of a second, so 100 / fps is rounded.
    origin: flat dict that travels in the file as its comment; see `runs.origin_of`.
    All frames share 256 colours, those of a few of them side by side: colours of their own for
    each frame would flicker.
    """
    frames = list(frames)
    assert frames and all(frame.shape == frames[0].shape for frame in frames), 'no frames to show'
    seen = np.concatenate(frames[::max(1, len(frames) // 16)])
    colours = Image.fromarray(seen).quantize(256)
    first, *others = [Image.fromarray(frame).quantize(palette=colours) for frame in frames]
    metadata = {'comment': _comment(origin).encode('ascii')} if origin else {}
    with files.replacing(path) as temporary:
        first.save(str(temporary), format='GIF', save_all=True, append_images=others, loop=0,
                   duration=round(100 / fps) * 10, **metadata)
    return len(frames)
