"""The one border to TensorFlow: importing this file sets it to graph mode, 1.15 and 2.x alike.

Everyone else writes `from dnnlib.tflib import tf`. `tf.contrib` does not exist on this border, and
`disable_v2_behavior` makes both versions agree on reference variables and static shapes.
"""

import contextlib
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')  # its chatter; errors still raise in Python
# On by itself only where TensorFlow knows the processor; training took 0.65 of the time with it.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')

import numpy as np

from dnnlib import files, memory
from dnnlib.files import UserError


@contextlib.contextmanager
def quiet():
    """Keep the greetings of TensorFlow's C++ off stderr: no log level holds yet when they come."""
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


with quiet():
    import tensorflow.compat.v1 as tf
if tf.__version__.startswith('1.'):  # TensorFlow 2 has a pool of its own
    memory.keep_freed()

tf.logging.set_verbosity(tf.logging.ERROR)
tf.disable_v2_behavior()


def cpu_flags():
    """What the CPU can do, a set of strings as Linux names it; empty where it is not told."""
    try:
        with open('/proc/cpuinfo', encoding='ascii', errors='replace') as lines:
            return set(' '.join(line for line in lines
                                if line.startswith(('flags', 'Features'))).split())
    except OSError:  # not Linux
        return set()


def cpu_has_bfloat16():
    """Whether the CPU multiplies in bfloat16; True where the system does not tell.

    Without such units (AVX512-BF16 or AMX on x86, BF16 on ARM) a step took 14 to 16 times as long.
    """
    flags = cpu_flags()
    return not flags or not {'avx512_bf16', 'amx_bf16', 'bf16'}.isdisjoint(flags)


def onednn_units():
    """The vector units for which oneDNN multiplies matrices: 'avx512', 'avx2', or '' without it.

    TensorFlow 1.15 and other CPUs have no oneDNN. Its own variable ONEDNN_MAX_CPU_ISA is obeyed.
    """
    if tf.__version__.startswith('1.') or os.environ['TF_ENABLE_ONEDNN_OPTS'] != '1':
        return ''
    flags = cpu_flags()
    most = os.environ.get('ONEDNN_MAX_CPU_ISA', 'DEFAULT').upper()
    if {'avx512f', 'avx512bw', 'avx512vl', 'avx512dq'} <= flags and (
            most.startswith(('AVX512', 'AVX10')) or most in ('ALL', 'DEFAULT')):
        return 'avx512'
    return 'avx2' if 'avx2' in flags else ''


def cpu_has_int8():
    """Whether oneDNN multiplies int8 exactly, by VNNI; without it, sums saturate at 16 bits."""
    vnni = {'avx512': 'avx512_vnni', 'avx2': 'avx_vnni'}.get(onednn_units())
    limited = os.environ.get('ONEDNN_MAX_CPU_ISA', 'DEFAULT').upper() not in ('ALL', 'DEFAULT')
    return vnni in cpu_flags() and not limited


def _check(wanted, option, has, work, units):
    """Raise UserError if `wanted` of TensorFlow 1.15, or of a CPU without it (has() is False)."""
    if wanted and tf.__version__.startswith('1.'):
        raise UserError(f'TensorFlow {tf.__version__} cannot {work}; leave {option} out, or use '
                        'ENGINE=tf2')
    if wanted and not has():
        raise UserError(f'this CPU has no {units}; leave {option} out')


def check_int8(wanted):
    """Raise UserError if int8 is requested of a TensorFlow or a CPU that lacks it."""
    _check(wanted, '--int8', cpu_has_int8, 'sample with int8 weights',
           'int8 instructions (AVX512-VNNI or AVX-VNNI) that oneDNN may use')


def check_bfloat16(wanted):
    """Raise UserError if bfloat16 is requested of a TensorFlow or a CPU that lacks it."""
    _check(wanted, '--bfloat16', cpu_has_bfloat16, 'compute in bfloat16',
           'units for bfloat16 and would take 14 times as long with it as without')


def config(threads=0, bfloat16=False):
    """The ConfigProto of `session`, from the same arguments."""
    check_bfloat16(bfloat16)
    result = tf.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads,
        allow_soft_placement=True)
    result.gpu_options.allow_growth = True
    if bfloat16:
        rewrites = result.graph_options.rewrite_options
        rewrites.auto_mixed_precision_onednn_bfloat16 = rewrites.ON
    return result


def has_gpu():
    """Whether TensorFlow sees a GPU, which then runs whatever it can."""
    return bool(tf.config.experimental.list_physical_devices('GPU'))


def session(threads=0, bfloat16=False):
    """A session on the default graph. `threads` 0 takes all cores; 1 makes the bytes repeatable.

    bfloat16: let TensorFlow 2 rewrite convolutions and products of matrices to 16 bits on CPUs;
    variables stay float32. Raises UserError as `check_bfloat16` does.
    """
    with quiet():
        return tf.Session(config=config(threads, bfloat16))


@contextlib.contextmanager
def disk_errors(path):
    """As `files.disk_errors`, of TensorFlow's errors as well."""
    try:
        with files.disk_errors(path):
            yield
    except tf.errors.OpError as error:  # of several classes: ResourceExhausted, Unknown, Internal
        files.check_space(error, path)
        raise


def is_whole(checkpoint):
    """Whether every tensor of a checkpoint (a path prefix) agrees with TensorFlow's checksums."""
    try:
        reader = tf.train.load_checkpoint(str(checkpoint))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
        return True
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError):
        return False


def shape_list(x):
    """A tensor's shape as a list: an int where it is known, a scalar tensor where it is not."""
    static = x.shape.as_list()
    if None not in static:
        return static
    dynamic = tf.shape(x)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]


def reshape(x, shape):
    """tf.reshape to a shape as `shape_list` gives it; a single unknown size is not computed."""
    sizes = [size if isinstance(size, int) else -1 for size in shape]
    return tf.reshape(x, sizes if sizes.count(-1) == 1 else shape)


def parameters(variables):
    """How many numbers a list of variables holds."""
    return int(sum(np.prod(v.shape.as_list()) for v in variables))


def restore_matching(sess, checkpoint, variables):
    """Load every variable that the checkpoint holds by the same name; return the others, untouched.

    A shape that differs is an error of ours: names carry the resolution, so equal names mean equal
    shapes.
    """
    stored = dict(tf.train.list_variables(checkpoint))
    found, fresh = [], []
    for variable in variables:
        name = variable.op.name
        known = name in stored
        (found if known else fresh).append(variable)
        if known:
            assert stored[name] == variable.shape.as_list(), (
                f'{name}: checkpoint {stored[name]}, graph {variable.shape.as_list()}')
    if found:
        tf.train.Saver(found).restore(sess, checkpoint)
    return fresh


def assign(sess, values):
    """Set variables of the default graph; `values` maps variable name -> numpy array.

    Feeds the variables' initialisers, all in one call, so it adds nothing to a finalised graph.
    Raises KeyError for a name the graph does not have.
    """
    known = {v.op.name: v for v in tf.global_variables()}
    for name, value in values.items():
        assert known[name].shape.as_list() == list(np.shape(value)), (
            f'{name}: graph {known[name].shape.as_list()}, value {list(np.shape(value))}')
    initialisers = {name: known[name].initializer for name in values}
    sess.run(list(initialisers.values()),
             {initialiser.inputs[1]: values[name] for name, initialiser in initialisers.items()})
