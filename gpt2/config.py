"""Every knob of the text model: its sizes, training, sampling, and the presets.

Nothing here needs TensorFlow: options are parsed and help is printed without it.
"""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import knob

PACKINGS = ('documents', 'starts', 'stream')

_INT32 = 2 ** 31 - 1
_UINT32 = 2 ** 32 - 1


def _check(record, **bounds):
    """Raise UserError unless each field of the dataclass is a number within its (least, most)."""
    for name, (least, most) in bounds.items():
        kind = int if isinstance(least, int) else float
        value = getattr(record, name)
        number = isinstance(value, (int, kind)) and not isinstance(value, bool)
        if not (number and least <= value <= most):
            raise UserError(f'{name} must be {"a whole" if kind is int else "a"} number from '
                            f'{least} to {most}, not {value!r:.40}')


@dataclasses.dataclass(frozen=True)
class Network:
    """Sizes, named as in the released `hparams.json`; the defaults are the released 124M.

    Raises UserError unless they describe a model that can be built.
    """
    n_vocab: int = knob(50257, 'vocabulary size, end-of-text included', unit='tokens')
    n_ctx: int = knob(1024, 'context length', unit='tokens')
    n_embd: int = knob(768, 'embedding width')
    n_head: int = knob(12, 'attention heads; divides the width')
    n_layer: int = knob(12, 'layers')

    def __post_init__(self):
        # At least 256 bytes, one merge and end-of-text; at most far more than any released model.
        _check(self, n_vocab=(258, 10 ** 7), n_ctx=(2, 10 ** 6), n_embd=(1, 10 ** 5),
               n_head=(1, 10 ** 4), n_layer=(1, 1000))
        if self.n_embd % self.n_head:
            wider = -(-self.n_embd // self.n_head) * self.n_head
            raise UserError(f'n_embd {self.n_embd} is not a multiple of n_head {self.n_head}; '
                            f'{wider} is')


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train; the defaults are those of the post's fine-tuning tool where it had one."""
    steps: int = knob(15000, 'how long to train', unit='updates')
    batch: int = knob(1, 'batch size', unit='windows')
    window: int = knob(1024, 'length of a training window; at most n_ctx', unit='tokens')
    pack: str = knob('starts', 'what a window holds: documents, whole ones and padding; starts, '
                               'the beginning of one more instead of padding; or stream, a slice '
                               'of all texts, concatenated')
    learning_rate: float = knob(2e-5, 'learning rate of Adam after the warm-up')
    warmup: int = knob(100, 'updates over which the learning rate rises from zero', unit='updates')
    final_rate: float = knob(1.0, 'final learning rate, as a fraction of --learning-rate; 1 keeps '
                                  'it constant')
    decay: str = knob('linear', 'learning-rate decay: linear or cosine')
    clip: float = knob(0.0, 'gradient clipping: largest global norm, 0 = none')
    weight_decay: float = knob(0.0, 'decoupled weight decay of all matrices (AdamW)')
    accumulate: int = knob(1, 'gradient accumulation: split each batch into so many parts, for '
                              'less memory')
    dropout: float = knob(0.0, 'dropout of embeddings, attention weights and residual branches; '
                               'against overfitting')
    recompute: bool = knob(False, 'gradient checkpointing: recompute layers in the backward pass, '
                                  'for far less memory and a third more time')
    bfloat16: bool = knob(False, 'compute the matrix products inside of layers in bfloat16; tf2 '
                                 'only')
    train_only: str = knob('', "'blocks' freezes the token and positional embeddings")
    patience: int = knob(0, 'early stopping: after so many validations without a lower held-out '
                            'loss; 0: never', unit='validations')
    held_out: float = knob(0.05, 'fraction of products that is held out for validation')
    validate_every: int = knob(100, 'between two measurements of the held-out loss', unit='updates')
    sample_every: int = knob(100, 'between two sets of samples', unit='updates')
    save_every: int = knob(1000, 'between two checkpoints', unit='updates')
    seed: int = knob(0, 'decides weights, windows, dropout, split and samples')
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable')

    def __post_init__(self):
        positive, natural = (1, _INT32), (0, _INT32)
        _check(self, steps=positive, batch=positive, window=(16, _INT32), accumulate=positive,
               validate_every=positive, sample_every=positive, save_every=positive, warmup=natural,
               patience=natural, threads=natural, seed=(0, _UINT32), learning_rate=(0.0, 1e3),
               final_rate=(0.0, 1e3), clip=(0.0, 1e9), weight_decay=(0.0, 1e3),
               dropout=(0.0, 0.99), held_out=(0.0, 0.99))
        if self.batch % self.accumulate:
            raise UserError(f'a batch of {self.batch} cannot be split into {self.accumulate} equal '
                            'parts; change --accumulate or --batch')
        for name, choices in (('decay', ('linear', 'cosine')), ('train_only', ('', 'blocks')),
                              ('pack', PACKINGS)):
            if getattr(self, name) not in choices:
                raise UserError(f"{name} is '{getattr(self, name)}'; use "
                                + ' or '.join(choice or 'nothing' for choice in choices))


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How to choose the tokens of a text; the filters apply in this order, after the penalty."""
    temperature: float = knob(0.3, 'below 1 likelier words, above 1 rarer ones, 0 always the '
                                   'likeliest')
    top_k: int = knob(40, 'sample from the k likeliest tokens, 0 = all')
    top_p: float = knob(1.0, 'nucleus sampling: from the likeliest tokens that together reach p')
    repetition_penalty: float = knob(1.0, 'above 1 makes tokens rarer that the text already has; '
                                          '1.2 is usual, 1 does nothing')
    max_tokens: int = knob(0, 'longest text, 0 = what fits', unit='tokens')
    trim: bool = knob(False, 'shorten a prompt from the left until max-tokens, or half of the '
                             'context, fit behind it; else a prompt that is too long is refused')
    seed: int = knob(0, 'first seed; the next text has the next')
    threads: int = knob(0, 'CPU threads; 0 takes all')

    def __post_init__(self):
        # Dividing logits by less than these bounds would overflow.
        _check(self, temperature=(0.0, 1e3), top_k=(0, _INT32), top_p=(1e-6, 1.0),
               repetition_penalty=(0.01, 100.0), max_tokens=(0, _INT32), threads=(0, _INT32),
               seed=(0, _UINT32))
        if 0 < self.temperature < 0.001:
            raise UserError(f'temperature {self.temperature:g} is too small; use 0 for always the '
                            'likeliest token')


# Knobs that may differ when a run is resumed: how long, how often it reports, how fast.
FREE = ('steps', 'validate_every', 'sample_every', 'save_every', 'patience', 'threads')

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
