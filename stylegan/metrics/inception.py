"""Features of pictures by a frozen image classifier, by default the Inception graph of 2015.

That graph (classify_image_graph_def.pb) is what published Frechet distances are measured with. Any
other frozen graph that takes pictures can stand in; only figures of the same graph compare.
"""

from stylegan.metrics.frozen import Frozen


class Inception:
    """A function pictures -> features, with a session; `close` ends it.

    path:   the .pb file; it is not part of the project.
    input:  tensor of pictures [n, h, w, 3] in 0..255. At 'ExpandDims:0' the graph of 2015 resizes
            them to 299 pixels itself; at 'ResizeBilinear:0' they have to be of that size.
    output: tensor [n, ...] to read. 'pool_3:0' is the last one that takes several pictures at a
            time: behind it the graph of 2015 is made for one.
    Raises UserError, as dnnlib.frozen.Frozen does.
    """

    def __init__(self, path, input='ExpandDims:0', output='pool_3:0', threads=0):
        self._frozen = Frozen(path, input, output, threads)

    def __call__(self, pictures):
        """Pictures [n, h, w, 3] in 0..255, uint8 or float32 -> float32 [n, d]; 2015: d = 2048."""
        return self._frozen(pictures).reshape(len(pictures), -1)

    def close(self):
        """End the session."""
        self._frozen.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
