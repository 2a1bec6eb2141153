"""After a step whose loss or gradient is not finite: stop, or continue from the last checkpoint.

A rollback halves the learning rate. It is a line of the run's history, so that a run that is
resumed keeps its rate.
"""

from dnnlib.files import UserError
from dnnlib.knobs import knob

ROLLBACKS = 3  # at most, in one training


def on_nan_knob():
    """The option `--on-nan`."""
    return knob('stop', 'what to do when a loss or gradient is not finite: stop, or roll back to '
                'the last checkpoint and continue at half the learning rate, three times at most',
                choices=('stop', 'rollback'))


def lrate_factor(run, key, position):
    """What the rollbacks of a run up to a position have left of its learning rate, 1.0 if none.

    run: dnnlib.runs.Run; key: the name of the position in its history, which worker 0 has.
    """
    from dnnlib import parallel
    numbers = [(line.get(key), line['lrate_factor']) for line in run.history()
               if isinstance(line.get('lrate_factor'), float)]
    return parallel.from_first(min(
        [factor for at, factor in numbers if 0 < factor < 1 and isinstance(at, (int, float))
         and at <= position], default=1.0))


def roll_back(run, on_nan, key, position, *, saved_at, flag):
    """Note a rollback to the checkpoint at a position -> the `lrate_factor` from there on.

    on_nan: value of the option. saved_at, flag: position and option of the learning rate, for the
    message. Raises UserError if `on_nan` is 'stop', or if there were ROLLBACKS already.
    """
    factor = lrate_factor(run, key, position) / 2
    if on_nan == 'stop' or factor < 0.5 ** ROLLBACKS:
        more = ('continue with half the learning rate by adding --on-nan rollback, or '
                if on_nan == 'stop' else '')
        raise UserError(f'a loss or gradient is not finite and that step was not taken; '
                        f'{run.folder} is saved at {saved_at}: {more}start a new run with a lower '
                        f'{flag}')
    run.cut_history(key, position)
    run.log(**{key: position, 'lrate_factor': factor})
    return factor
