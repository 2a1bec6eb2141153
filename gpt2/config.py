"""Every knob of the text model: its sizes, training, sampling, and the presets.

Nothing here needs TensorFlow: options are parsed and help is printed without it.
"""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import check, knob, seed_knob
from dnnlib.rollback import on_nan_knob

PACKINGS = ('documents', 'starts', 'stream')


@dataclasses.dataclass(frozen=True)
class Network:
    """Sizes, named as in the released `hparams.json`; the defaults are the released 124M.

    Raises UserError unless they describe a model that can be built.
    """
    n_vocab: int = knob(50257, 'vocabulary size, end-of-text included', unit='tokens',
                        least=258, most=10 ** 7)
    n_ctx: int = knob(1024, 'context length', unit='tokens', least=2, most=10 ** 6)
    n_embd: int = knob(768, 'embedding width', least=1, most=10 ** 5)
    n_head: int = knob(12, 'attention heads; divides the width', least=1, most=10 ** 4)
    n_layer: int = knob(12, 'layers', least=1, most=1000)

    def __post_init__(self):
        check(self)
        if self.n_embd % self.n_head:
            wider = -(-self.n_embd // self.n_head) * self.n_head
            raise UserError(f'--n-embd {self.n_embd} is not a multiple of --n-head {self.n_head}; '
                            f'{wider} is')


# The dense layers of each layer: name, inputs and outputs in multiples of the width.
DENSE = (('attn/c_attn', 1, 3), ('attn/c_proj', 1, 1), ('mlp/c_fc', 1, 4), ('mlp/c_proj', 4, 1))


def shapes(network):
    """Name -> shape of every weight, as in the released checkpoints."""
    width = network.n_embd
    result = {'wte': [network.n_vocab, width], 'wpe': [network.n_ctx, width],
              'ln_f/g': [width], 'ln_f/b': [width]}
    for i in range(network.n_layer):
        for norm in ('ln_1', 'ln_2'):
            result[f'h{i}/{norm}/g'] = result[f'h{i}/{norm}/b'] = [width]
        for dense, inputs, outputs in DENSE:
            result[f'h{i}/{dense}/w'] = [1, inputs * width, outputs * width]
            result[f'h{i}/{dense}/b'] = [outputs * width]
    return {'model/' + name: shape for name, shape in result.items()}


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train; the defaults are those of the post's fine-tuning tool where it had one."""
    steps: int = knob(15000, 'how long to train', unit='updates', least=1)
    batch: int = knob(1, 'batch size', unit='windows', least=1)
    window: int = knob(1024, 'length of a training window; at most n_ctx', unit='tokens', least=16)
    pack: str = knob('starts', 'what a window holds: documents, whole ones and padding; starts, '
                               'the beginning of one more instead of padding; or stream, a slice '
                               'of all texts, concatenated', choices=PACKINGS)
    learning_rate: float = knob(2e-5, 'learning rate of Adam after the warm-up', least=0, most=1000)
    warmup: int = knob(100, 'updates over which the learning rate rises from zero', unit='updates',
                       least=0)
    final_rate: float = knob(1.0, 'final learning rate, as a fraction of --learning-rate; 1 keeps '
                                  'it constant', least=0, most=1000)
    decay: str = knob('linear', 'learning-rate decay: linear or cosine',
                      choices=('linear', 'cosine'))
    clip: float = knob(0.0, 'gradient clipping: largest global norm, 0 = none', least=0, most=1e9)
    weight_decay: float = knob(0.0, 'decoupled weight decay of all matrices (AdamW)',
                               least=0, most=1000)
    accumulate: int = knob(1, 'gradient accumulation: split each batch into so many parts, for '
                              'less memory', least=1)
    dropout: float = knob(0.0, 'dropout of embeddings, attention weights and residual branches; '
                               'against overfitting', least=0, below=1)
    recompute: bool = knob(False, 'gradient checkpointing: recompute layers in the backward pass, '
                                  'for far less memory and a third more time')
    bfloat16: bool = knob(False, 'compute the matrix products inside of layers in bfloat16; tf2 '
                                 'only')
    train_only: str = knob('', "'blocks' freezes the token and positional embeddings",
                           choices=('', 'blocks'))
    patience: int = knob(0, 'early stopping: after so many validations without a lower held-out '
                            'loss; 0: never', unit='validations', least=0)
    held_out: float = knob(0.05, 'fraction of products that is held out for validation',
                           least=0, below=1)
    validate_every: int = knob(100, 'between two measurements of the held-out loss', unit='updates',
                               least=1)
    sample_every: int = knob(100, 'between two sets of samples', unit='updates', least=1)
    save_every: int = knob(1000, 'between two checkpoints', unit='updates', least=1)
    on_nan: str = on_nan_knob()
    seed: int = seed_knob('decides weights, windows, dropout, split and samples')
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable', least=0)
    worker_timeout: int = knob(60, 'of several workers: a worker that does not answer for so long '
                               'is lost, and all stop', unit='s', least=4)

    def __post_init__(self):
        check(self)
        if self.batch % self.accumulate:
            raise UserError(f'a batch of {self.batch} cannot be split into {self.accumulate} equal '
                            'parts; change --accumulate or --batch')


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How to choose the tokens of a text; the filters apply in this order, after the penalty."""
    temperature: float = knob(0.3, 'below 1 likelier words, above 1 rarer ones, 0 always the '
                                   'likeliest', least=0, most=1000)
    top_k: int = knob(40, 'sample from the k likeliest tokens, 0 = all', least=0)
    top_p: float = knob(1.0, 'nucleus sampling: from the likeliest tokens that together reach p',
                        least=1e-6, most=1)
    repetition_penalty: float = knob(1.0, 'above 1 makes tokens rarer that the text already has; '
                                          '1.2 is usual, 1 does nothing', least=0.01, most=100)
    batch: int = knob(0, 'texts sampled at a time, 64 at most (48 without AVX-512); 0: as many as '
                         'fit in a gigabyte of key/value cache', least=0, most=1024)
    max_tokens: int = knob(0, 'longest text, 0 = what fits', unit='tokens', least=0)
    trim: bool = knob(False, 'shorten a prompt from the left until max-tokens, or half of the '
                             'context, fit behind it; else a prompt that is too long is refused')
    int8: bool = knob(False, 'sample with int8 weights: faster, but seeds give other texts; tf2 '
                             'only, on CPUs with AVX512-VNNI or AVX-VNNI')
    seed: int = seed_knob('first seed; the next text has the next')
    threads: int = knob(0, 'CPU threads; 0 takes all', least=0)

    def __post_init__(self):
        check(self)
        if 0 < self.temperature < 0.001:
            raise UserError(f'--temperature {self.temperature:g} is too small; use 0 for always '
                            'the likeliest token')


# Knobs that may differ when a run is resumed: how long, how often it reports, how fast.
FREE = ('steps', 'accumulate', 'validate_every', 'sample_every', 'save_every', 'patience',
        'on_nan', 'threads', 'worker_timeout')

PRESETS = {
    # From scratch, on a CPU, in ten minutes; the weights take less than 4 MB.
    'demo': (Network(n_vocab=1280, n_ctx=160, n_embd=128, n_head=4, n_layer=4),
             Training(steps=3200, batch=8, window=160, learning_rate=4e-3, final_rate=0.01,
                      weight_decay=0.1, clip=1.0, validate_every=250, sample_every=500,
                      save_every=500)),
    # From scratch with the released vocabulary, whose embedding makes 8 of its 10.6 million
    # parameters; for a few thousand short texts.
    '10M': (Network(n_ctx=256, n_embd=160, n_head=5, n_layer=8),
            Training(steps=4000, batch=8, window=256, learning_rate=2e-3, final_rate=0.02,
                     clip=1.0, dropout=0.1, validate_every=100, sample_every=500,
                     save_every=250)),
    # Fine-tuning of the released weights, as in the post; 117M is the old name of the smallest.
    '117M': (Network(), Training()),
    '124M': (Network(), Training()),
    '355M': (Network(n_embd=1024, n_head=16, n_layer=24), Training()),
    '774M': (Network(n_embd=1280, n_head=20, n_layer=36), Training()),
    '1558M': (Network(n_embd=1600, n_head=25, n_layer=48), Training()),
}
