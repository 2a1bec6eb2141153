"""Fine-tuning GPT-2, or training a small one from scratch, on product descriptions.

Everything random is a function of (seed, step), and the step, the moments of Adam and the best
held-out loss are variables. So a checkpoint is the whole state, and a resumed run continues as if
it had not been interrupted.
"""

import collections
import contextlib
import dataclasses

import numpy as np

from dnnlib import board, files, parallel, progress, rollback, runs, tflib
from dnnlib.accumulation import NotFinite, Update, sums
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import data, encoder, overlap, snapshots, write
from gpt2.config import Sampling
from gpt2.model import Compute, Dropout, dropout_seed, initial, loss, loss_and_gradients
from gpt2.sampler import Sampler

_VALIDATION_DOCUMENTS = 256
_BASELINE = 64  # held-out texts whose overlap with the training set is measured
_HELD_OUT = 2 ** 31  # the seed of the held-out data: a step that no training reaches
_SAMPLING = Sampling(temperature=1.0)

# training, held_out: data.Corpus. validation: batches of the held-out loss; None if nothing is held
# out. prompts: of the samples.
Dataset = collections.namedtuple('Dataset', 'training held_out validation prompts')


class Graph:
    """The static graph of a training: update, loss and sampling loop over the same variables.

    Attributes: tokens, loss_weights, rate, seed (placeholders; the seed is that of dropout); loss
    (without dropout, in float32); weights (the model's variables); step, best, waited (variables);
    update (accumulation.Update); count (increments `step`); sampler.
    """

    def __init__(self, network, config, vocabulary):
        self.tokens = tf.placeholder(tf.int32, [None, None])
        self.loss_weights = tf.placeholder_with_default(  # of `data.windows`
            tf.ones_like(self.tokens[:, 1:], tf.float32), [None, None])
        self.rate = tf.placeholder(tf.float32, [])
        self.seed = tf.placeholder_with_default(tf.zeros([2], tf.int32), [2])
        self.loss = loss(self.tokens, network, self.loss_weights)
        self.weights = tf.trainable_variables()
        self.step = tf.get_variable('step', [], tf.int64, tf.zeros_initializer(), trainable=False)
        self.best = tf.get_variable('best', [], tf.float32, tf.constant_initializer(np.inf),
                                    trainable=False)  # the lowest held-out loss so far
        self.waited = tf.get_variable('waited', [], tf.int64, tf.zeros_initializer(),
                                      trainable=False)  # validations since then
        trained = [v for v in self.weights if config.train_only != 'blocks' or '/h' in v.op.name]
        trained_loss, gradients = loss_and_gradients(
            self.tokens, network, self.loss_weights, trained, recompute=config.recompute,
            compute=Compute(Dropout(config.dropout, self.seed), config.bfloat16))
        self.update = Update(
            tf.train.AdamOptimizer(self.rate), trained, gradients, {'loss': trained_loss},
            config.accumulate, sums(trained, config.accumulate), config.clip)
        # Decoupled weight decay (Loshchilov & Hutter 2017) of matrices, not of scales and biases.
        factor = self.rate * config.weight_decay
        matrices = [v for v in trained if len(v.shape) > 1 and config.weight_decay > 0]
        with tf.control_dependencies([tf.assign_sub(v, factor * v) for v in matrices]):
            self.count = tf.assign_add(self.step, 1)
        self.sampler = Sampler(network, vocabulary)
        self.sync = parallel.broadcast(tf.global_variables())


def learning_rate(step, config):
    """Learning rate of the update after `step` updates: linear warm-up, and decay throughout.

    The cosine decay is half a period (Loshchilov & Hutter 2016).
    """
    warmup = min(1.0, (step + 1) / max(1, config.warmup))
    decay = min(1.0, step / config.steps)
    if config.decay == 'cosine':
        decay = 0.5 - 0.5 * np.cos(np.pi * decay)
    return config.learning_rate * warmup * (1 - (1 - config.final_rate) * decay)


def check(network, config):
    """Raise UserError for what cannot be trained, before anything is written."""
    tflib.check_bfloat16(config.bfloat16)
    if config.batch % (parallel.size * config.accumulate):
        raise UserError(f'a batch of {config.batch} cannot be split among {parallel.size} workers '
                        f'and {config.accumulate} part(s) each; change --batch or --accumulate')
    if config.window > network.n_ctx:
        raise UserError(f'windows of {config.window} tokens do not fit a context of '
                        f'{network.n_ctx}; use --window {network.n_ctx}')


def prepare(products, config, *, size, vocabulary=None, folder=None):
    """The Dataset of a catalogue.

    products: records or Documents, see `data`. size: of the vocabulary that is trained if none is
    given, at most. vocabulary: Encoder. folder: where the encoded texts are cached.
    """
    if vocabulary is None:
        training, _ = data.split(products, config.held_out, config.seed)
        vocabulary = encoder.train([data.prompt(' '.join(product.tags)) + product.description
                                    for product in training], size)
    tagged = any(product.tags for product in products)
    documents = products
    if not isinstance(products[0], data.Document):
        documents = data.documents(products, vocabulary, folder)
    documents, changed = data.without_long_tags(documents, vocabulary, config.window // 2)
    if changed:
        print(f'{changed} of {len(documents)} products have attributes of more than '
              f'{config.window // 2} tokens, half a window; the longest are left out')
    training, held_out = [data.corpus(part, vocabulary, tagged) for part in
                          data.split(documents, config.held_out, config.seed)]
    rng = np.random.RandomState([config.seed, _HELD_OUT])
    validation, selections = None, [''] * 4
    if held_out.documents:
        validation = data.single_documents(held_out, count=_VALIDATION_DOCUMENTS,
                                           batch=config.batch, length=config.window, rng=rng)
        selections += [data.selection(document.tags, document.category, rng)
                       for document in held_out.documents[:4]]
    prompts = [data.prompt(selection) if tagged else '' for selection in selections]
    return Dataset(training, held_out, validation, prompts)


def step(sess, graph, corpus, config, number):
    """The update after `number` updates; returns its loss.

    Of several workers each takes `accumulate` parts of the batch, as if one took all of them.
    Raises NotFinite if the loss or its gradient is not; then nothing has changed.
    """
    own = range(parallel.rank * config.accumulate, (parallel.rank + 1) * config.accumulate)
    tokens, weights = [np.split(rows, parallel.size * config.accumulate) for rows in data.windows(
        corpus, pack=config.pack, count=config.batch, length=config.window,
        rng=np.random.RandomState([config.seed, number]))]
    rate = learning_rate(number, config)
    losses = graph.update.run(sess, [
        {graph.tokens: tokens[part], graph.loss_weights: weights[part], graph.rate: rate,
         graph.seed: dropout_seed(config.seed, number, part)} for part in own])
    sess.run(graph.count, {graph.rate: rate})
    return losses['loss']


class Trainer:
    """A graph, its session and a run folder, for the duration of a training."""

    def __init__(self, run, sess, graph, dataset, network, config):
        self.run, self.sess, self.graph, self.dataset = run, sess, graph, dataset
        self.network, self.config = network, config
        self.board = None  # board.Board, of the first worker
        self.losses = parallel.Sum(len(dataset.validation or ()))
        self.index = None  # overlap.Index of the training set, made for the first samples

    def restore(self, weights):
        """Restore the newest checkpoint; if there is none, set `weights`. Returns the step.

        Of several workers the first does so and the others get its values.
        """
        self.sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        latest = self.run.latest()
        if latest:
            missing = tflib.restore_matching(self.sess, latest, tf.global_variables())
            assert not missing, missing
        else:
            tflib.assign(self.sess, weights)
        parallel.run(self.sess, self.graph.sync)
        number = int(self.sess.run(self.graph.step))
        self.run.cut_history('step', number)
        if not parallel.rank:
            self.board = board.Board(self.run.folder / 'tensorboard', number)
        return number

    def held_out_loss(self):
        """Mean loss per token of held-out documents, each from its own start.

        Each worker computes that of some batches, and counts the others as 0.
        """
        graph, batches = self.graph, self.dataset.validation
        losses = self.losses(self.sess, [
            self.sess.run(graph.loss, {graph.tokens: tokens, graph.loss_weights: weights})
            if index % parallel.size == parallel.rank else 0
            for index, (tokens, weights) in enumerate(batches)])
        mean = np.average(losses, weights=[np.count_nonzero(weights) for _, weights in batches])
        return float(np.float32(mean))  # as `best` holds it: else an equal loss may look smaller

    def snapshot(self, number, figures, name='snapshot'):
        """Write a snapshot of the weights, with its figures, into the run folder."""
        if parallel.rank:
            return
        weights = {v.op.name: value for v, value in
                   zip(self.graph.weights, self.sess.run(self.graph.weights))}
        corpus = self.dataset.training
        snapshots.write(self.run.folder / name, snapshots.Snapshot(
            self.network, weights, corpus.encoder, dict(figures, step=number,
                                                        tagged=corpus.tagged)))

    def validate(self, number, training_loss):
        """The losses as a dict; writes a snapshot if the held-out loss is the lowest so far."""
        losses = {'loss': training_loss}
        if self.dataset.validation is None:  # nothing is held out: the last weights are kept
            self.snapshot(number, losses)
        else:
            value = self.held_out_loss()
            losses.update(held_out_loss=value, held_out_perplexity=float(np.exp(value)))
            better = value < self.sess.run(self.graph.best)
            waited = 0 if better else self.sess.run(self.graph.waited) + 1
            self.graph.waited.load(waited, self.sess)
            if better:
                self.graph.best.load(value, self.sess)
                self.snapshot(number, losses)
        return losses

    def samples(self, number, bar):
        """Write samples without prompt and for held-out products' attributes; show one of them.

        Returns their `overlap`. The first worker does so; the others return nothing.
        """
        if parallel.rank:
            return {}
        prompts = self.dataset.prompts
        samples = self.graph.sampler.samples(
            self.sess, [self.dataset.training.encoder.encode(prompt) for prompt in prompts],
            seeds=range(len(prompts)), sampling=_SAMPLING)
        texts = [sample.prompt + sample.text for sample in samples]
        figures = self.overlap([sample.text for sample in samples])
        table = ''.join(f'{name} {value:.3g}\n' for name, value in sorted(figures.items()))
        files.write_text(self.run.folder / f'samples-{number:06d}.txt',
                         write.report(texts) + '\n' + table)
        bar.write(f'{number}: {write.printable(texts[-1][:300])}')
        return figures

    def overlap(self, texts):
        """How much texts share with the training set, beside what held-out texts do."""
        training, held_out = self.dataset.training, self.dataset.held_out
        if self.index is None:
            self.index = overlap.Index([document.ids for document in training.documents])
        return overlap.report([training.encoder.encode(text) for text in texts],
                              [document.ids[:-1] for document in held_out.documents[:_BASELINE]],
                              self.index)

    def log(self, number, figures):
        """Write figures to progress.jsonl and TensorBoard."""
        if parallel.rank:
            return
        self.run.log(step=number, **figures)
        self.board.add(number, [tf.Summary.Value(tag=name, simple_value=value)
                                for name, value in figures.items()])

    def finished(self, number):
        """Whether `number` updates are all, or the held-out loss has not improved for too long."""
        return number >= self.config.steps or (
            0 < self.config.patience <= self.sess.run(self.graph.waited))

    def loop(self, number):
        """Update until `config.steps`, until the run is asked to stop, or until early stopping.

        The state is saved at the end. Returns the step, and whether the training is finished.
        Raises NotFinite.
        """
        config, losses, shown = self.config, [], {}
        per_step = config.batch * config.window
        with progress.bar(total=config.steps * per_step, initial=number * per_step, unit='token',
                          unit_scale=True, disable=parallel.rank > 0) as bar:
            ended = self.finished(number)
            while not ended and not self.run.stopping:
                losses.append(step(self.sess, self.graph, self.dataset.training, config, number))
                number += 1
                self.run.agree_on_stopping(self.sess)
                ended, figures = number >= config.steps, {}
                if ended or number % config.validate_every == 0:
                    shown, losses = self.validate(number, float(np.mean(losses))), []
                    figures.update(shown)
                    ended = self.finished(number)
                if ended or number % config.sample_every == 0:
                    figures.update(self.samples(number, bar))
                if figures:
                    self.log(number, figures)
                if ended:
                    self.snapshot(number, figures, 'last')
                if ended or self.run.stopping or number % config.save_every == 0:
                    self.run.save(self.sess, number)
                bar.set_postfix(step=number, refresh=False, **shown)
                bar.update(per_step)
        return number, ended


def train(run, products, network, config, start=None, vocabulary=None):
    """Train until `config.steps` updates; continue whatever the run folder holds.

    run:      dnnlib.runs.Run.
    products: list of products that have a description, or of Documents; see `data`.
    network:  config.Network; `n_vocab` is the upper limit of a vocabulary that is trained.
    start:    snapshots.Snapshot to begin with, whose sizes and vocabulary then count.
    vocabulary: Encoder to use instead of training one.
    Leaves the best weights in the run's `snapshot` folder, the last ones in `last`. Raises
    UserError, and runs.Interrupted after a stop by the user.
    """
    if start:
        network, vocabulary = start.network, start.encoder
    check(network, config)
    if not products:
        raise UserError('there are no descriptions to train on; give a catalogue that has some')
    if vocabulary is None and (run.folder / 'snapshot' / 'encoder.json').exists():
        vocabulary = encoder.load(run.folder / 'snapshot')
    with run.writing():
        number, ended = _train(run, products, network, config, start, vocabulary)
    if not ended:
        raise runs.Interrupted(f'{run.folder} is saved at update {number} of {config.steps}; the '
                               'same command resumes')


def _train(run, products, network, config, start, vocabulary):
    """`train` without its checks. Returns what `Trainer.loop` does."""
    if parallel.rank:
        parallel.from_first()  # has encoded the texts, which the others may find in the folder
    dataset = prepare(products, config, size=network.n_vocab, vocabulary=vocabulary,
                      folder=run.folder)
    if not parallel.rank:
        parallel.from_first()
    network = dataclasses.replace(network, n_vocab=dataset.training.encoder.size)
    with run.stoppable():
        while True:
            try:
                return _run_graph(run, dataset, network, config, start)
            except NotFinite:
                number = _progress(run, config)
                factor = rollback.roll_back(run, config.on_nan, 'step', number,
                                            saved_at=f'update {number}', flag='--learning-rate')
                print(f'a loss or gradient is not finite: back to update {number}, with the '
                      f'learning rate times {factor:g}')


def _progress(run, config):
    """The number of updates that a run's checkpoint has. Raises UserError if it is missing."""
    checkpoint = run.latest()
    if checkpoint is None and any(line.get('step', 0) > config.save_every
                                  for line in run.history() if type(line.get('step')) is int):
        run.refuse_lost()
    return parallel.from_first(
        int(tf.train.load_variable(checkpoint, 'step')) if checkpoint else 0)


@contextlib.contextmanager
def _memory_advice(config):
    """Turn TensorFlow's out-of-memory error into advice."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise UserError(
            f'out of memory with a batch of {config.batch} times {config.window} tokens; add '
            f'--accumulate {config.batch} (the same result), --recompute yes, or lower --batch')


def _run_graph(run, dataset, network, config, start):
    """Build the graph, restore what the run has, and train -> what `Trainer.loop` does."""
    factor = rollback.lrate_factor(run, 'step', _progress(run, config))
    config = dataclasses.replace(config, learning_rate=config.learning_rate * factor)
    with _memory_advice(config), tf.Graph().as_default(), parallel.session(
            config.threads) as sess:
        graph = Graph(network, config, dataset.training.encoder)
        run.prepare_saving()
        trainer = Trainer(run, sess, graph, dataset, network, config)
        number = trainer.restore(start.weights if start else initial(graph.weights, config.seed))
        tf.get_default_graph().finalize()
        return trainer.loop(number)
