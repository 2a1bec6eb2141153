"""Every knob of the text model: its sizes, its fine-tuning, and the presets."""

import dataclasses

from dnnlib.files import UserError
from dnnlib.knobs import knob


@dataclasses.dataclass(frozen=True)
class Network:
    """Sizes, named as in the released `hparams.json`; the defaults are the released 124M."""
    n_vocab: int = knob(50257, 'vocabulary size, end-of-text included', unit='tokens')
    n_ctx: int = knob(1024, 'longest text', unit='tokens')
    n_embd: int = knob(768, 'width')
    n_head: int = knob(12, 'attention heads; divides the width')
    n_layer: int = knob(12, 'layers')

    def __post_init__(self):
        if self.n_embd % self.n_head:
            raise UserError('a width of %d cannot be split among %d heads; try --n-embd %d' % (
                self.n_embd, self.n_head, -(-self.n_embd // self.n_head) * self.n_head))
        if self.n_vocab < 258:
            raise UserError('a vocabulary needs 256 bytes, one merge and end-of-text; use '
                            '--n-vocab 258 or more')


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train; the defaults are those of the post's fine-tuning tool where it had one."""
    steps: int = knob(15000, 'how long to train', unit='updates')
    batch: int = knob(1, 'windows per update')
    window: int = knob(1024, 'length of a window; at most n_ctx', unit='tokens')
    pack: str = knob('starts', 'what a window holds: documents, whole ones and padding; starts, '
                               'the beginning of one more instead; or stream, a piece of all '
                               'texts one behind another')
    learning_rate: float = knob(2e-5, 'step size of Adam after the warm-up')
    warmup: int = knob(100, 'updates over which the learning rate rises from zero', unit='updates')
    final_rate: float = knob(1.0, 'share of the learning rate that is left at the last update; '
                                  '1 keeps it constant')
    decay: str = knob('linear', 'the way of the learning rate down to that: linear or cosine')
    clip: float = knob(0.0, 'largest global norm of the gradient, 0 = no limit')
    weight_decay: float = knob(0.0, 'pull of every weight matrix to zero, per update and learning '
                                    'rate (AdamW)')
    accumulate: int = knob(1, 'split each batch into so many parts, for less memory')
    dropout: float = knob(0.0, 'share of the embedded tokens, of the attention and of what each '
                               'layer adds that is left out at random while training; against '
                               'learning by heart')
    recompute: bool = knob(False, 'compute the inside of layers again on the way back (gradient '
                                  'checkpointing): far less memory, a third more time')
    bfloat16: bool = knob(False, 'products inside of layers in 16 bits, all else in 32; tf2 only')
    train_only: str = knob('', "'blocks' leaves the tables of tokens and places as they are")
    patience: int = knob(0, 'stop after so many measurements without a better held-out loss; 0: '
                            'never', unit='measurements')
    held_out: float = knob(0.05, 'share of products kept for validation')
    validate_every: int = knob(100, 'between two measurements of the held-out loss', unit='updates')
    sample_every: int = knob(100, 'between two sets of samples', unit='updates')
    save_every: int = knob(1000, 'between two checkpoints', unit='updates')
    seed: int = knob(0, 'decides weights, windows, dropout, split and samples')
    threads: int = knob(0, 'CPU threads; 0 takes all, 1 makes the bytes repeatable')

    def __post_init__(self):
        if min(self.steps, self.batch, self.window, self.validate_every, self.sample_every,
               self.save_every) < 1:
            raise UserError('steps, batch, window and every ...-every must be above zero')
        if self.accumulate < 1 or self.batch % self.accumulate:
            raise UserError('a batch of %d cannot be split into %d equal parts; change '
                            '--accumulate or --batch' % (self.batch, self.accumulate))
        if self.decay not in ('linear', 'cosine') or self.train_only not in ('', 'blocks'):
            raise UserError("decay is '%s' and train-only '%s'; the first must be linear or "
                            "cosine, the second blocks or nothing" % (self.decay, self.train_only))
        if self.pack not in ('documents', 'starts', 'stream'):
            raise UserError(f"pack is '{self.pack}'; use documents, starts or stream")
        if not 0 <= self.dropout < 1:
            raise UserError('--dropout %g leaves nothing; it is a share, such as 0.1'
                            % self.dropout)
        if not 0 <= self.held_out < 1:
            raise UserError('held-out is a share; use --held-out 0.05')


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How to choose the tokens of a text; the filters apply in this order, after the penalty."""
    temperature: float = knob(0.3, 'below 1 likelier words, above 1 rarer ones, 0 always the '
                                   'likeliest')
    top_k: int = knob(40, 'draw from the k likeliest tokens, 0 = all')
    top_p: float = knob(1.0, 'draw from the likeliest tokens that together reach p')
    repetition_penalty: float = knob(1.0, 'above 1 makes tokens rarer that the text already has; '
                                          '1.2 is usual, 1 does nothing')
    max_tokens: int = knob(0, 'longest text, 0 = what fits', unit='tokens')
    trim: bool = knob(False, 'shorten a prompt from the left until max-tokens, or half of what the '
                             'model holds, fit behind it; else one that fills it is refused')
    seed: int = knob(0, 'first seed; the next text has the next')
    threads: int = knob(0, 'CPU threads; 0 takes all')

    def __post_init__(self):
        if min(self.temperature, self.top_k, self.max_tokens, self.threads) < 0:
            raise UserError('temperature, top-k, max-tokens and threads are at least 0')
        if not 0 < self.top_p <= 1:
            raise UserError(f'--top-p {self.top_p:g} is no probability; 1 leaves all tokens')
        if self.repetition_penalty <= 0:
            raise UserError('--repetition-penalty %g must be above 0; 1 leaves all as it is'
                            % self.repetition_penalty)
        if not 0 <= self.seed < 2 ** 32:
            raise UserError('--seed %d lies outside of 0 to %d' % (self.seed, 2 ** 32 - 1))


# Knobs that may differ when a run is continued: how long, how often it reports, how fast.
FREE = ('steps', 'validate_every', 'sample_every', 'save_every', 'patience', 'threads')

PRESETS = {
    # From nothing, on a CPU, in ten minutes; the weights take less than 4 MB.
    'demo': (Network(n_vocab=1280, n_ctx=160, n_embd=128, n_head=4, n_layer=4),
             Training(steps=3200, batch=8, window=160, learning_rate=4e-3, final_rate=0.01,
                      weight_decay=0.1, clip=1.0, validate_every=250, sample_every=500,
                      save_every=500)),
    # From nothing with the released vocabulary, which alone makes 8 of its 10.6 million parameters;
    # for a few thousand short texts.
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
