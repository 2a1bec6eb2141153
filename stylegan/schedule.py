"""Progressive growing: resolution, fade, minibatch and learning rate (Karras et al. 2018, app. C).

Pure functions of the number of real images shown, so that resuming needs no state here.
"""

import collections
import math

# By resolution; "else" is the value for those that are not listed.
LRATE = {128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003}  # else 0.001
# else 160
TICK_KIMG = {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 30, 1024: 20}
# The same by the number of GPUs that share a minibatch; else 4 for each.
MINIBATCH = {1: {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
             2: {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16},
             4: {4: 512, 8: 256, 16: 128, 32: 64, 64: 32},
             8: {4: 512, 8: 256, 16: 128, 32: 64, 64: 32}}
LEAST = 0.02  # fraction of the learning rate that is left at the end of its decay

Position = collections.namedtuple('Position', [
    'lod',        # level of detail: 0 = full resolution, 1 = half, ...; fractional during a fade
    'resolution',  # of the generated and the real images, in px
    'alpha',      # weight of the new resolution, above 0 up to 1 (1 = faded in)
    'minibatch',  # batch size
    'lrate',      # learning rate of the generator
    'd_lrate',    # ... and of the discriminator
    'tick_kimg'])  # thousand images between two reports


def lod(kimg, *, levels, hold_kimg, fade_kimg):
    """Level of detail after `kimg` thousand images, starting `levels` below full resolution."""
    phase_kimg = hold_kimg + fade_kimg
    phase = math.floor(kimg / phase_kimg) if phase_kimg > 0 else 0
    fading = 0.0
    if fade_kimg > 0:
        fading = max(kimg - phase * phase_kimg - hold_kimg, 0.0) / fade_kimg
    return max(levels - phase - fading, 0.0)


def minibatch(resolution, training, gpus=1):
    """Images per step at a resolution, a multiple of the number of GPUs as in the original."""
    count = training.minibatch or MINIBATCH.get(gpus, {}).get(resolution, 4 * gpus)
    return count - count % gpus


def _lrate_factors(kimg, training):
    """What warm-up and decay multiply the learning rate by after `kimg` thousand images."""
    if training.rampup_kimg > 0:
        yield min(kimg / training.rampup_kimg, 1.0)
    settle_kimg = min(training.settle_kimg, training.kimg / 2)  # a short training decays less
    if settle_kimg > 0:
        yield min(max((training.kimg - kimg) / settle_kimg, LEAST), 1.0)


def position(nimg, network, training, gpus=1):
    """The Position after `nimg` real images. network, training: of stylegan/config.py."""
    levels = max(0, network.log2 - (training.initial.bit_length() - 1))
    level = lod(nimg / 1000, levels=levels, hold_kimg=training.hold_kimg,
                fade_kimg=training.fade_kimg)
    resolution = 2 ** (network.log2 - math.floor(level))
    lrate = training.lrate or LRATE.get(resolution, 0.001)
    d_lrate = training.d_lrate or lrate
    for factor in _lrate_factors(nimg / 1000, training):
        lrate, d_lrate = lrate * factor, d_lrate * factor
    return Position(
        lod=level, resolution=resolution, alpha=1.0 - (level - math.floor(level)),
        minibatch=minibatch(resolution, training, gpus), lrate=lrate, d_lrate=d_lrate,
        tick_kimg=training.tick_kimg or TICK_KIMG.get(resolution, 160))


def stage(level):
    """Changes whenever a fade begins or ends, which is when the optimisers are reset."""
    return math.floor(level), math.ceil(level)
