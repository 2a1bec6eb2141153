"""Every option of StyleGAN and its training, and the presets as differences from the defaults.

The defaults are those of the StyleGAN paper (Karras et al. 2018) for one GPU.
"""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob
from dnnlib.rollback import on_nan_knob


@dataclasses.dataclass(frozen=True)
class Network:
    """The architecture: everything that decides the shapes and meaning of the weights."""
    resolution: int = knob(512, 'side of the images, a power of two', 'px', least=8, most=1024)
    latent_size: int = knob(512, 'dimensions of z', least=1, most=8192)
    w_size: int = knob(0, 'dimensions of w; 0: as z', least=0, most=8192)
    mapping_layers: int = knob(8, 'dense layers of the mapping network', least=1, most=64)
    mapping_fmaps: int = knob(0, 'width of those layers except the last; 0: as z', least=0,
                             most=8192)
    mapping_lrmul: float = knob(0.01, 'learning rate of those layers, times that of the others',
                                above=0)
    normalize_latents: bool = knob(True, 'scale each z to a root mean square of 1 first')
    fmap_base: int = knob(8192, 'feature maps at a resolution: 2 * fmap_base / resolution ...',
                          least=1, most=1 << 20)
    fmap_max: int = knob(512, '... but at most this many', least=1, most=8192)
    use_noise: bool = knob(True, 'noise inputs after every convolution; in a short training they '
                           'take the place of details not yet learned')
    fused_scale: str = knob('auto', 'mirror the kernels of up-convolutions: yes, no, or auto as in '
                            'the released weights, from 128 px up', choices=('auto', 'yes', 'no'))
    mbstd_group: int = knob(4, 'group size of the minibatch standard deviation layer', least=1)
    label_size: int = knob(0, 'classes of a conditional network; 0: unconditional', least=0,
                           most=1 << 20)

    def fmaps(self, stage):
        """Feature maps nf(stage): a block at resolution 2^r works with nf(r - 1)."""
        return max(1, min(self.fmap_base // 2 ** stage, self.fmap_max))

    @property
    def mapping_widths(self):
        """Width of each dense layer of the mapping network."""
        inner = self.mapping_fmaps or self.latent_size
        return [inner] * (self.mapping_layers - 1) + [self.w_width]

    @property
    def w_width(self):
        """Dimensions of w."""
        return self.w_size or self.latent_size

    @property
    def log2(self):
        """L, the log2 of the full resolution."""
        return self.resolution.bit_length() - 1

    def __post_init__(self):
        check(self)
        if self.resolution & (self.resolution - 1):
            raise UserError(f'--resolution {self.resolution} is no power of two; try 64')


NOT_TRAINED = ('label_size',)  # only released networks have it; not offered as an option


@dataclasses.dataclass(frozen=True)
class Training:
    """The training: schedule, minibatch, losses, and what is reported."""
    kimg: float = knob(25000, 'length of the training', 'thousand real images shown', above=0)
    initial: int = knob(8, 'resolution to begin with; the full one: no progressive growing', 'px',
                        least=4, most=1024)
    hold_kimg: float = knob(600, 'time at each resolution after its fade-in', 'kimg', least=0)
    fade_kimg: float = knob(600, 'duration of the fade-in of a new resolution', 'kimg', least=0)
    minibatch: int = knob(0, 'batch size; 0: by resolution, from 128 at 4 px to 4 at 512 px',
                          least=0, most=4096)
    accumulate: int = knob(1, 'gradient accumulation: split each minibatch into so many '
                           'parts, which takes less memory', least=1)
    lrate: float = knob(0.0, 'learning rate; 0: by resolution, from 0.001 to 0.003', least=0)
    d_lrate: float = knob(0.0, 'learning rate of the discriminator; 0: as the generator', least=0)
    rampup_kimg: float = knob(0.0, 'learning-rate warm-up from zero', 'kimg', least=0)
    settle_kimg: float = knob(0.0, 'linear learning-rate decay to a fiftieth over the end of the '
                              'training, at most half of it', 'kimg', least=0)
    r1_gamma: float = knob(10.0, 'weight of the R1 gradient penalty', least=0)
    r1_pixels: str = knob('full', 'pixels that R1 is measured in: those of the full resolution, as '
                          'in the original, or its own, those being trained (at 16 of 64 px weight '
                          '10 in full is 0.6 in its own)', choices=('full', 'own'))
    r1_interval: int = knob(1, 'lazy regularisation: R1 every so many steps, weighted as much more',
                            least=1)
    mixing: float = knob(0.9, 'probability of style mixing, per minibatch', least=0, most=1)
    average_kimg: float = knob(10.0, 'half-life of the moving average of the generator', 'kimg',
                               above=0)
    w_beta: float = knob(0.995, 'decay of the moving average of w', least=0, most=1)
    mirror: bool = knob(True, 'flip each real image left-right with probability 1/2')
    freeze_d: int = knob(0, 'freeze so many blocks of the discriminator, the highest resolutions '
                         'first, for small training sets (FreezeD)', least=0)
    augment: str = knob('', 'differentiable augmentation for small training sets, any of: '
                        'color,translation,cutout')
    tick_kimg: float = knob(0.0, 'progress line, sample grid and checkpoint every so often; 0: by '
                            'resolution, from 160 to 20', 'kimg', least=0)
    snapshot_ticks: int = knob(10, 'snapshot every so many ticks, and at the end, where it holds '
                               'all three networks, to --start from', least=1)
    metrics_every: int = knob(0, 'sliced Wasserstein distance every so many ticks; 0: never',
                              least=0)
    grid: int = knob(0, 'images in a sample grid; 0: as many as fill a 4K screen', least=0,
                     most=4096)
    on_nan: str = on_nan_knob()
    seed: int = seed_knob('seed; with one thread, the same seed gives the same bytes')
    bfloat16: bool = knob(False, 'bfloat16 convolutions on CPUs that have them, tf2 only')
    threads: int = knob(0, 'CPU threads; 0: all, 1: results are repeatable to the byte', least=0,
                        most=4096)
    worker_timeout: int = knob(60, 'of several workers: a worker that does not answer for so long '
                               'is lost, and all stop', unit='s', least=4)

    def __post_init__(self):
        check(self)
        unknown = set(filter(None, self.augment.split(','))) - {'color', 'translation', 'cutout'}
        if unknown:
            raise UserError(f"--augment has no {', '.join(sorted(unknown))}; choose from "
                            'color,translation,cutout')
        if self.initial & (self.initial - 1):
            raise UserError(f'--initial {self.initial} is no power of two; try 8')


# Options that may change when a run is continued.
FREE = ('kimg', 'accumulate', 'tick_kimg', 'snapshot_ticks', 'metrics_every', 'on_nan',
        'threads', 'worker_timeout')

PRESETS = {
    # 64 px on a CPU, without growing, from the pretrained network: few feature maps, many small
    # steps at a high learning rate (docs/recipe.md). The mapping network learns ten times faster
    # than in the paper's training, which is long.
    'demo': (Network(resolution=64, latent_size=128, mapping_layers=4, mapping_lrmul=0.1,
                     fmap_base=1024, fmap_max=96, use_noise=False),
             Training(kimg=60, initial=64, minibatch=8, lrate=0.006, r1_interval=8, mixing=0.5,
                      average_kimg=4, settle_kimg=30, tick_kimg=10, snapshot_ticks=2,
                      metrics_every=2, grid=28)),
    # 512 px, all feature maps, one GPU: the post's recipe.
    'dress': (Network(), Training()),
}
