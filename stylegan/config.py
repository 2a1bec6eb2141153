"""Every knob of the picture model, once, and the presets as differences from the defaults.

The defaults are those of the StyleGAN paper (Karras et al. 2018) for one GPU.
"""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Network:
    """What decides the shapes of the weights."""
    resolution: int = knob(512, 'side of the full-size picture, a power of two', 'px')
    latent_size: int = knob(512, 'numbers in z')
    w_size: int = knob(0, 'numbers in w; 0: as many as in z')
    mapping_layers: int = knob(8, 'dense layers from z to w')
    mapping_fmaps: int = knob(0, 'width of the dense layers before the last; 0: as z')
    mapping_lrmul: float = knob(0.01, 'how fast those layers learn, in units of the learning rate')
    normalize_latents: bool = knob(True, 'scale z to unit length per number first')
    fmap_base: int = knob(8192, 'feature maps at a resolution: 2 fmap_base / resolution ...')
    fmap_max: int = knob(512, '... but never more than this')
    use_noise: bool = knob(True, 'add planes of noise after every convolution; a short training '
                           'hides in them what it cannot draw yet')
    fused_scale: str = knob('auto', 'auto, yes or no: mirror the up-convolution kernels as the '
                            'released weights do from 128 px up')
    mbstd_group: int = knob(4, 'pictures that the discriminator compares with each other')
    label_size: int = knob(0, 'classes that both networks are told of, as one-hot labels; 0: none')

    def fmaps(self, stage):
        """Feature maps nf(stage): a block at resolution 2^r works with nf(r - 1)."""
        return max(1, min(self.fmap_base // 2 ** stage, self.fmap_max))

    @property
    def mapping_widths(self):
        """Width of each dense layer from z to w."""
        inner = self.mapping_fmaps or self.latent_size
        return [inner] * (self.mapping_layers - 1) + [self.w_width]

    @property
    def w_width(self):
        """Numbers in w."""
        return self.w_size or self.latent_size

    @property
    def log2(self):
        """L, the log2 of the full resolution."""
        return self.resolution.bit_length() - 1

    def __post_init__(self):
        if self.resolution < 8 or self.resolution & (self.resolution - 1):
            raise UserError('resolution %d is no power of two from 8 up; try --resolution 64'
                            % self.resolution)
        if not self.mapping_lrmul > 0:
            raise UserError('mapping-lrmul must be above zero; the paper has 0.01')
        if self.fused_scale not in ('auto', 'yes', 'no'):
            raise UserError(f"fused-scale is '{self.fused_scale}'; it must be auto, yes or no")


NOT_TRAINED = ('label_size',)  # knobs that only networks made elsewhere use; not offered as flags


@dataclasses.dataclass(frozen=True)
class Training:
    """What decides how the weights are found."""
    kimg: float = knob(25000, 'how long to train', 'thousand real pictures shown')
    initial: int = knob(8, 'resolution to begin with, or the full one if that is smaller', 'px')
    hold_kimg: float = knob(600, 'time at each resolution once it is faded in', 'kimg')
    fade_kimg: float = knob(600, 'time in which a new resolution fades in', 'kimg')
    minibatch: int = knob(0, 'pictures per step; 0 takes the table by resolution')
    accumulate: int = knob(1, 'split each minibatch into so many parts, for less memory')
    lrate: float = knob(0.0, 'learning rate of both networks; 0 takes the table by resolution')
    rampup_kimg: float = knob(0.0, 'time in which the learning rate rises from zero', 'kimg')
    settle_kimg: float = knob(0.0, 'time at the end, at most half of it all, in which the learning '
                              'rate falls to a fiftieth', 'kimg')
    r1_gamma: float = knob(10.0, 'weight of the R1 gradient penalty')
    r1_interval: int = knob(1, 'compute R1 only every so many steps (with that much more weight)')
    mixing: float = knob(0.9, 'share of minibatches in which two styles are mixed')
    average_kimg: float = knob(10.0, 'half-life of the moving average of the generator', 'kimg')
    w_beta: float = knob(0.995, 'decay of the moving average of w')
    mirror: bool = knob(True, 'show each picture flipped left-right half of the time')
    freeze_d: int = knob(0, 'freeze so many blocks of the discriminator, the largest resolutions '
                         'first, for small catalogues (FreezeD)')
    augment: str = knob('', 'differentiable augmentation for small catalogues, any of: '
                        'color,translation,cutout')
    tick_kimg: float = knob(0.0, 'progress line, sample grid and checkpoint every; 0 takes the '
                            'table by resolution', 'kimg')
    snapshot_ticks: int = knob(10, 'weights-only snapshot every so many ticks (and at the end)')
    metrics_every: int = knob(0, 'sliced Wasserstein distances every so many ticks; 0: never')
    grid: int = knob(0, 'pictures in the sample grids; 0: as many as fill a 4K screen')
    seed: int = knob(0, 'the same seed, engine and one thread give the same bytes')
    bfloat16: bool = knob(False, 'compute convolutions with 16 bits on CPUs that can, tf2 only')
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable')

    def __post_init__(self):
        unknown = set(filter(None, self.augment.split(','))) - {'color', 'translation', 'cutout'}
        if unknown:
            raise UserError('augment does not know %s; choose from color,translation,cutout'
                            % ', '.join(sorted(unknown)))
        if self.initial < 4 or self.initial & (self.initial - 1):
            raise UserError('initial %d is no power of two from 4 up; try --initial 8'
                            % self.initial)
        if min(self.kimg, self.r1_interval, self.accumulate, self.snapshot_ticks) <= 0:
            raise UserError('kimg, r1-interval, accumulate and snapshot-ticks must be above zero')
        if min(self.tick_kimg, self.rampup_kimg, self.settle_kimg, self.freeze_d,
               self.metrics_every) < 0:
            raise UserError('tick-kimg, rampup-kimg, settle-kimg, freeze-d and metrics-every must '
                            'not be below zero')


# Knobs that may differ when a run is continued: how long, how often it reports, how fast.
FREE = ('kimg', 'tick_kimg', 'snapshot_ticks', 'metrics_every', 'threads')

PRESETS = {
    # 64 px on a CPU: small maps, many small and bold steps, most of them at small sizes; and a
    # mapping network that learns ten times faster than the paper's, whose training is long.
    'demo': (Network(resolution=64, latent_size=128, mapping_layers=4, mapping_lrmul=0.1,
                     fmap_base=512, fmap_max=96, use_noise=False),
             Training(kimg=120, hold_kimg=20, fade_kimg=10, minibatch=8, lrate=0.006, r1_interval=8,
                      average_kimg=4, settle_kimg=40, tick_kimg=5, snapshot_ticks=4,
                      metrics_every=4, grid=28)),
    # 512 px, full width, one GPU: the post's recipe.
    'dress': (Network(), Training()),
}
