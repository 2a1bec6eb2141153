"""Fine-tuning GPT-2, or training a small one from nothing, on product descriptions.

Everything random is a function of (seed, step), and the step, the moments of Adam and the best
held-out loss are variables: so a checkpoint is the whole state, and a run that was stopped goes on
as if it had not been.
"""

import collections
import dataclasses

import numpy as np

from dnnlib import files, progress, runs, tflib
from dnnlib.accumulation import Update, sums
from dnnlib.files import UserError
from dnnlib.tflib import tf
from gpt2 import data as dataset, encoder, overlap, snapshots, write
from gpt2.config import Sampling
from gpt2.model import Compute, Dropout, initial, loss, loss_and_gradients, seed_of
from gpt2.sampler import Sampler

_VALIDATION_DOCUMENTS = 256
_BASELINE = 64  # held-out texts whose overlap with the training texts is measured
_HELD_OUT = 2 ** 31  # stands for a step that no training reaches
_SAMPLES = Sampling(temperature=1.0)

Data = collections.namedtuple('Data', 'training held_out validation prompts')


class Graph:
    """An update, the loss and the writing loop over the same variables.

    Attributes: tokens, counted, rate, seed (placeholders; the seed is that of dropout); loss
    (without dropout, in full precision); weights (the model's variables); step, best, waited
    (variables); update (dnnlib.update.Update); count (what moves `step` on); sampler.
    """

    def __init__(self, network, config, vocabulary):
        self.tokens = tf.placeholder(tf.int32, [None, None])
        self.counted = tf.placeholder_with_default(  # weights of `dataset.windows`
            tf.ones_like(self.tokens[:, 1:], tf.float32), [None, None])
        self.rate = tf.placeholder(tf.float32, [])
        self.seed = tf.placeholder_with_default(tf.zeros([2], tf.int32), [2])
        self.loss = loss(self.tokens, network, self.counted)
        self.weights = tf.trainable_variables()
        self.step = tf.get_variable('step', [], tf.int64, tf.zeros_initializer(), trainable=False)
        self.best = tf.get_variable('best', [], tf.float32, tf.constant_initializer(np.inf),
                                    trainable=False)  # the lowest held-out loss so far
        self.waited = tf.get_variable('waited', [], tf.int64, tf.zeros_initializer(),
                                      trainable=False)  # measurements since then
        trained = [v for v in self.weights if config.train_only != 'blocks' or '/h' in v.op.name]
        trained_loss, gradients = loss_and_gradients(
            self.tokens, network, self.counted, trained, recompute=config.recompute,
            compute=Compute(Dropout(config.dropout, self.seed), config.bfloat16))
        self.update = Update(
            tf.train.AdamOptimizer(self.rate), trained, gradients,
            {'loss': trained_loss, 'norm': tf.global_norm(gradients)}, config.accumulate,
            sums(trained, config.accumulate), config.clip)
        # Decoupled from Adam's own scaling (Loshchilov & Hutter 2017); not for gains and offsets.
        shrink = self.rate * config.weight_decay
        matrices = [v for v in trained if len(v.shape) > 1 and config.weight_decay > 0]
        with tf.control_dependencies([tf.assign_sub(v, shrink * v) for v in matrices]):
            self.count = tf.assign_add(self.step, 1)
        self.sampler = Sampler(network, vocabulary)


def learning_rate(step, config):
    """Step size of the update after `step` updates: a linear rise, and a fall throughout.

    The cosine falls as half a wave (Loshchilov & Hutter 2016).
    """
    rise = min(1.0, (step + 1) / max(1, config.warmup))
    way = min(1.0, step / config.steps)
    if config.decay == 'cosine':
        way = 0.5 - 0.5 * np.cos(np.pi * way)
    return config.learning_rate * rise * (1 - (1 - config.final_rate) * way)


def check(config):
    """Raise UserError for what this version of TensorFlow cannot do."""
    tflib.check_bfloat16(config.bfloat16)


def prepare(products, config, *, size, source, folder=None):
    """The Data of a catalogue: the Corpus to train on, batches of what is held out, prompts.

    products: records or Documents, see `dataset`. source: folder of a vocabulary; None: learn one
    of at most `size`. folder: where the encoded texts are kept.
    """
    if source is None:
        ours, _ = dataset.split(products, config.held_out, config.seed)
        seen = [dataset.prompt(' '.join(some.tags)) + some.description for some in ours]
        vocabulary = encoder.train(seen, size)
    else:
        vocabulary = encoder.load(source)
    tagged = any(product.tags for product in products)
    if not isinstance(products[0], dataset.Document):
        products = dataset.documents(products, vocabulary, folder)
    training, held_out = [dataset.corpus(part, vocabulary, tagged) for part in
                          dataset.split(products, config.held_out, config.seed)]
    rng = np.random.RandomState([config.seed, _HELD_OUT])
    validation, wishes = None, [''] * 4
    if held_out.documents:
        validation = dataset.single(held_out, count=_VALIDATION_DOCUMENTS, batch=config.batch,
                                    length=config.window, rng=rng)
        wishes += [dataset.selection(some.tags, some.noun, rng) for some in held_out.documents[:4]]
    prompts = [dataset.prompt(wish) if tagged else '' for wish in wishes]
    return Data(training, held_out, validation, prompts)


def step(sess, graph, data, config, number):
    """The update after `number` updates. Returns its loss; UserError if that is no number."""
    tokens, counted = [np.split(rows, config.accumulate) for rows in dataset.windows(
        data.training, pack=config.pack, count=config.batch, length=config.window,
        rng=np.random.RandomState([config.seed, number]))]
    rate = learning_rate(number, config)
    found = graph.update.run(sess, [
        {graph.tokens: some, graph.counted: weights_, graph.rate: rate,
         graph.seed: seed_of(config.seed, number, part)}
        for part, (some, weights_) in enumerate(zip(tokens, counted))])
    sess.run(graph.count, {graph.rate: rate})
    if not np.isfinite(list(found.values())).all():
        raise UserError('the loss is %g and its gradient %g at update %d; nothing was saved over '
                        'the last checkpoint: start a new run with a smaller --learning-rate'
                        % (found['loss'], found['norm'], number + 1))
    return found['loss']


class Trainer:
    """A graph, its session and a run folder, for as long as a training lasts."""

    def __init__(self, run, sess, graph, data, network, config):
        self.run, self.sess, self.graph, self.data = run, sess, graph, data
        self.network, self.config = network, config
        self.board = tf.summary.FileWriter(str(run.folder / 'tensorboard'))
        self.index = None  # of the training texts, made when samples are first compared with them

    def restore(self, values):
        """Go back to the newest checkpoint; without one, take `values`. Returns the step."""
        self.sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        latest = self.run.latest()
        if latest:
            fresh = tflib.restore_matching(self.sess, latest, tf.global_variables())
            assert not fresh, fresh
        else:
            snapshots.assign(self.sess, values, 'the starting model')
        number = int(self.sess.run(self.graph.step))
        self.run.cut_history('step', number)
        self.board.add_session_log(tf.SessionLog(status=tf.SessionLog.START), number)
        return number

    def held_out_loss(self):
        """Mean loss per token of held-out documents, each from its own start."""
        graph, batches = self.graph, self.data.validation
        losses = [self.sess.run(graph.loss, {graph.tokens: tokens, graph.counted: counted})
                  for tokens, counted in batches]
        mean = np.average(losses, weights=[np.count_nonzero(counted) for _, counted in batches])
        return float(np.float32(mean))  # as `best` holds it: else an equal loss may look smaller

    def snapshot(self, number, facts, place='snapshot'):
        """Write the weights for later use, with what is known about them, into the run folder."""
        values = {v.op.name: value for v, value in
                  zip(self.graph.weights, self.sess.run(self.graph.weights))}
        corpus = self.data.training
        snapshots.write(self.run.folder / place, self.network, values, corpus.encoder,
                      dict(facts, step=number, tagged=corpus.tagged))

    def measure(self, number, loss_now):
        """The losses as a dict; a new best model is kept."""
        losses = {'loss': loss_now}
        if self.data.validation is None:  # no held-out products, no number: the last one is kept
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
        """Write texts from nothing and for held-out products' attributes; show one of them.

        Returns their `overlap`.
        """
        prompts = self.data.prompts
        samples = self.graph.sampler.samples(
            self.sess, prompts, seeds=range(len(prompts)), sampling=_SAMPLES)
        texts = [sample.prompt + sample.text for sample in samples]
        figures = self.overlap([sample.text for sample in samples])
        shown = ''.join('%s %.3g\n' % item for item in sorted(figures.items()))
        files.write_text(self.run.folder / ('samples-%06d.txt' % number),
                         write.report(texts) + '\n' + shown)
        bar.write('%d: %s' % (number, texts[-1][:300]))
        return figures

    def overlap(self, texts):
        """How much texts share with the training texts, beside what held-out texts do."""
        training, held_out = self.data.training, self.data.held_out
        if self.index is None:
            self.index = overlap.Index([document.ids for document in training.documents])
        return overlap.report([training.encoder.encode(text) for text in texts],
                              [document.ids[:-1] for document in held_out.documents[:_BASELINE]],
                              self.index)

    def log(self, number, figures):
        """Write figures to progress.jsonl and TensorBoard."""
        self.run.log(step=number, **figures)
        self.board.add_summary(tf.Summary(value=[
            tf.Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]),
            number)
        self.board.flush()

    def exhausted(self):
        """Whether the held-out loss has not got better for as long as we are ready to wait."""
        return 0 < self.config.patience <= self.sess.run(self.graph.waited)

    def loop(self, number):
        """Update until `config.steps`, until the run is asked to stop, or until patience ends.

        What is reached is saved at the end. Returns it, and whether that is all there is to do.
        """
        config, losses, shown = self.config, [], {}
        per_step = config.batch * config.window
        with progress.bar(total=config.steps * per_step, initial=number * per_step, unit='token',
                          unit_scale=True) as bar:
            ended = number == config.steps or self.exhausted()
            while not ended and not self.run.stopping:
                losses.append(step(self.sess, self.graph, self.data, config, number))
                number += 1
                ended, figures = number == config.steps, {}
                if ended or number % config.validate_every == 0:
                    shown, losses = self.measure(number, float(np.mean(losses))), []
                    figures.update(shown)
                    ended = ended or self.exhausted()
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
    """Train until `config.steps` updates; go on from whatever the run folder holds.

    run:      dnnlib.runs.Run.
    products: list of products that have a description, or of Documents; see `dataset`.
    network:  config.Network; `n_vocab` is an upper limit of the vocabulary that is learnt.
    start:    folder of a model to begin with instead, whose sizes and vocabulary then count.
    vocabulary: folder of a vocabulary to take instead of learning one; not beside `start`.
    Leaves the best weights in the run's `snapshot` folder, the last ones in `last`. Raises
    UserError, and runs.Interrupted after a stop that was asked for.
    """
    check(config)
    if not products:
        raise UserError('there are no descriptions to train on; give a catalogue that has some')
    folder = run.folder / 'snapshot'
    start = snapshots.find(start) if start else None
    known = start or vocabulary or (folder if (folder / 'encoder.json').exists() else None)
    values = None
    if start:
        network, values = snapshots.read(start)
    if config.window > network.n_ctx:
        raise UserError('windows of %d tokens do not fit a model of %d; use --window %d'
                        % (config.window, network.n_ctx, network.n_ctx))
    with run.writing():
        number, ended = _train(run, products, network, config, known, values)
    if not ended:
        raise runs.Interrupted('stopped after %d of %d updates; everything is saved, the same '
                               'command goes on' % (number, config.steps))


def _train(run, products, network, config, source, values):
    """`train` inside of the run folder, from the weights `values` or None -> as `Trainer.loop`."""
    data = prepare(products, config, size=network.n_vocab, source=source, folder=run.folder)
    words = data.training.encoder
    network = dataclasses.replace(network, n_vocab=words.size)
    with tf.Graph().as_default(), tflib.session(config.threads) as sess:
        graph = Graph(network, config, words)
        run.prepare_saving()
        trainer = Trainer(run, sess, graph, data, network, config)
        number = trainer.restore(values or initial(graph.weights, config.seed))
        tf.get_default_graph().finalize()
        with run.stoppable():
            return trainer.loop(number)
