"""How much of a data-parallel step is communication, by model size: docs/scale.md has the results.

    python tests/scale.py                   two workers on this machine, GPT-2 of growing size
    python tests/scale.py --workers 3 --widths 64,128 --batch 2
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]),
                str(pathlib.Path(__file__).resolve().parent)]

VOCABULARY, LAYERS, WINDOW = 2000, 4, 64


def _measure(widths, batch, steps):
    """What one worker does; the first one prints a row for each width."""
    import numpy as np

    from dnnlib import parallel, tflib
    from dnnlib.tflib import tf
    from gpt2 import train
    from gpt2.config import Network, Training
    training = Training(batch=batch * parallel.size, window=WINDOW, threads=1)
    with parallel.joined({'threads': 1, 'worker_timeout': 60}, KeyboardInterrupt):
        for width in widths:
            network = Network(VOCABULARY, WINDOW, width, 4, LAYERS)
            with tf.Graph().as_default(), parallel.session(1) as sess, \
                    tf.variable_scope(f'of{width}'):  # sessions share variables by name
                graph = train.Graph(network, training, _Vocabulary())
                sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
                parallel.run(sess, graph.sync)
                tokens = np.random.RandomState(parallel.rank).randint(
                    0, VOCABULARY, [batch, WINDOW + 1])
                seconds = []
                for _ in range(steps):
                    marks, feed = [time.time()], {graph.tokens: tokens, graph.rate: 0.0}
                    sess.run(graph.update.step, feed)
                    parallel.from_first()  # nobody waits inside of what is timed next
                    marks.append(time.time())
                    graph.update._averaged(sess, {'loss': 0.0})
                    marks.append(time.time())
                    sess.run(graph.update._apply, feed)
                    seconds.append(np.diff(marks))
                gradient, average = np.min(seconds, axis=0)
                if parallel.rank == 0:
                    size = 4 * tflib.parameters(graph.weights)
                    print(f'{size / 2 ** 20:8.1f} MiB {gradient:9.3f} s {average:9.3f} s '
                          f'{100 * average / (gradient + average):8.0f} % '
                          f'{size / 2 ** 20 / average:9.0f} MiB/s', flush=True)


class _Vocabulary:
    end, size = VOCABULARY - 1, VOCABULARY


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--widths', default='32,64,128,256,512')
    parser.add_argument('--batch', type=int, default=4, help='windows of each worker')
    parser.add_argument('--steps', type=int, default=8, help='the fastest counts')
    options = parser.parse_args()
    if 'TF_CONFIG' in os.environ:
        _measure([int(width) for width in options.widths.split(',')], options.batch, options.steps)
        return
    from process import tf_configs
    print(f"{'gradients':>12} {'compute':>11} {'average':>11} {'share':>10} {'speed':>15}",
          flush=True)
    workers = [subprocess.Popen([sys.executable] + sys.argv, env=dict(os.environ, TF_CONFIG=config))
               for config in tf_configs(options.workers)]
    sys.exit(max(worker.wait() for worker in workers))


if __name__ == '__main__':
    main()
