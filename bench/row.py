"""What a row of the benchmark is: work in one or more variants, which are timed in turn."""

import dataclasses
from typing import Callable


@dataclasses.dataclass(frozen=True)
class Work:
    """Work that is ready to be timed.

    run: function () that does it once. amount: how many units that makes (images, tokens ...).
    flops, traffic: floating-point operations and bytes of memory that one run cannot do without
    (see `floor`); 0 where no floor is known.
    """
    run: Callable
    amount: float = 1
    flops: float = 0
    traffic: float = 0


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the benchmark.

    build: function (threads, **variant) -> Work, whose docstring says what is measured; it raises
    UserError where a variant cannot run here. unit: of the figure, 'images/s' or 's' for seconds.
    variants: name -> arguments of `build`; the first is ours, and is compared with each of the
    others. quick: whether a bare `bench` measures it.
    """
    build: Callable
    unit: str = 'images/s'
    variants: dict = dataclasses.field(default_factory=lambda: {'': {}})
    quick: bool = False

    def figure(self, amount, seconds):
        """The figure of a run in the unit of this row."""
        return amount / seconds if self.unit.endswith('/s') else seconds / amount
