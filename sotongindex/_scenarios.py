"""From points of the unit cube to scores: every run is another choice, or another sample."""

from __future__ import annotations

from typing import TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._choices import (
    AnyWeights,
    Choice,
    ConversionOptions,
    DropOne,
    MethodOptions,
    Options,
    Part,
    Sampling,
    SchemeOptions,
    WeightSpread,
)
from sotongindex._climb import Ladder, RunWeights
from sotongindex._starts import Start, weights_under
from sotongindex.method import IndexMethod
from sotongindex.results import IndexResult
from sotongindex.weighting import ImportanceWeights

Noise: TypeAlias = tuple[FloatArray, ...]

# So many numbers are worked on at a time: 16 MB.
_NUMBERS = 2_000_000


@attrs.frozen(kw_only=True, eq=False)
class Scenarios:
    """What the runs of an analysis need.

    Attributes:
        choices: What is varied.
        columns: The columns of the unit cube that each choice reads.
        method: The recorded method.
        weights: The weights under every scheme, (s, ...).
        shapes: For every level the shape of the factors that vary its weights.
        starts: The scores that runs start from, one for every conversion.
        ladder: The way from them to the index.
        members: Whether an item (row) belongs to a dimension (column), (i, d).
        freedom: Degrees of freedom of every organization's index, (o,).
    """

    choices: tuple[Choice, ...]
    columns: tuple[slice, ...]
    method: IndexMethod
    weights: RunWeights
    shapes: dict[Part, tuple[int, ...]]
    starts: tuple[Start, ...]
    ladder: Ladder
    members: FloatArray
    freedom: FloatArray

    @classmethod
    def of(
        cls,
        result: IndexResult,
        choices: tuple[Choice, ...],
        starts: tuple[Start, ...],
        *,
        ladder: Ladder,
    ) -> Scenarios:
        """Lay out the choices in the unit cube."""
        framework = result.study.framework
        schemes = next(
            (one.options for one in choices if isinstance(one, SchemeOptions)), (result.scheme,)
        )
        resolved = [weights_under(scheme, result, ladder.operated) for scheme in schemes]
        weights = RunWeights(
            channels=np.stack([one.channels for one in resolved]),
            dimensions=np.stack([one.dimensions for one in resolved]),
            items=np.stack([one.items for one in resolved]),
        )
        _, channels, dimensions = weights.dimensions.shape
        own = any(isinstance(scheme.dimensions, tuple) for scheme in schemes)
        shapes: dict[Part, tuple[int, ...]] = {
            "channels": (channels,),
            "dimensions": (channels if own else 1, dimensions),
            "items": (1, weights.items.shape[-1]),
        }
        ends = np.cumsum([_width(one, shapes) for one in choices]).tolist()
        return cls(
            choices=choices,
            columns=tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)),
            method=result.method,
            weights=weights,
            shapes=shapes,
            starts=starts,
            ladder=ladder,
            members=np.eye(dimensions)[np.array(framework.item_dimensions)],
            freedom=result.index.degrees_of_freedom,
        )

    @property
    def width(self) -> int:
        """The number of columns of the unit cube."""
        return int(self.columns[-1].stop)

    @property
    def at_once(self) -> int:
        """How many runs are worked on at a time: each has item scores of its own, or only cells."""
        cells = self.ladder.operated.size * self.members.shape[1]
        return max(1, _NUMBERS // (self.starts[0].scores.size if self.samples else cells))

    @property
    def samples(self) -> bool:
        """Whether respondents are varied."""
        return any(isinstance(one, Sampling) for one in self.choices)

    def noise(self, runs: int, rng: np.random.Generator) -> Noise | None:
        """Draw sampling errors (r, c, o, k) for every start; None where respondents stay."""
        if not self.samples:
            return None
        finite = np.isfinite(self.freedom) & (self.freedom > 0)
        stretch = np.ones((runs, len(self.freedom)))
        squares = rng.chisquare(self.freedom[finite], (runs, int(finite.sum())))
        stretch[:, finite] = np.sqrt(self.freedom[finite] / squares)
        seed = int(rng.integers(2**63))
        # The same seed for all: another conversion is one of the same respondents.
        return tuple(
            start.errors(runs, np.random.default_rng(seed)) * stretch[:, None, :, None]
            for start in self.starts
        )

    def scores(self, points: FloatArray, noise: Noise | None) -> FloatArray:
        """Return the index (r, o) at points (r, width) with sampling errors."""
        weights = self.run_weights(points)
        codes = np.stack(
            [
                _option(points[:, at], choice)
                if isinstance(choice, MethodOptions | ConversionOptions)
                else np.zeros(len(points), dtype=np.int64)
                for choice, at in zip(self.choices, self.columns, strict=True)
            ],
            axis=1,
        )
        found, which = np.unique(codes, axis=0, return_inverse=True)
        index = np.empty((len(points), len(self.freedom)))
        for position, code in enumerate(found):
            rows = slice(None) if len(found) == 1 else np.flatnonzero(which.ravel() == position)
            errors = None if noise is None else tuple(one[rows] for one in noise)
            index[rows] = self._climbed(code, weights.at(rows), errors)
        return index

    def _climbed(self, code: IntArray, weights: RunWeights, noise: Noise | None) -> FloatArray:
        """Return the index of runs that share method and conversion."""
        method, place = self.method, 0
        for choice, option in zip(self.choices, code, strict=True):
            if isinstance(choice, MethodOptions):
                method = choice.method(method, choice.options[option])
            elif isinstance(choice, ConversionOptions):
                place = int(option)
        start = self.starts[place]
        scores = start.enough(method)
        if noise is not None:
            scores = scores + noise[place]
        channels = self.ladder.channels(scores, weights, method) + start.shifts[method.order]
        return self.ladder.index(channels, weights, method)

    def run_weights(self, points: FloatArray) -> RunWeights:
        """Return the importance weights of every run."""
        weights = self.weights
        pairs = [(one, points[:, at]) for one, at in zip(self.choices, self.columns, strict=True)]
        for choice, own in pairs:
            if isinstance(choice, SchemeOptions):
                weights = weights.at(_option(own, choice))
        for choice, own in pairs:
            if isinstance(choice, WeightSpread | AnyWeights):
                weights = self._varied(weights, choice, own)
        dropping = [(one, own) for one, own in pairs if isinstance(one, DropOne)]
        for choice, own in dropping:
            weights = self._dropped(weights, choice.level, own)
        return self._without_empty(weights) if dropping else weights

    def _varied(
        self, weights: RunWeights, choice: WeightSpread | AnyWeights, points: FloatArray
    ) -> RunWeights:
        """Vary the weights of a level around their values, or over the whole simplex."""
        base = getattr(weights, choice.level)
        uniform = points.reshape(len(points), *self.shapes[choice.level])
        if isinstance(choice, WeightSpread):
            moved = base * (1 + choice.spread * (2 * uniform - 1))
        else:
            # Exponential numbers, scaled to sum to 1, are uniform on the simplex.
            moved = np.where(base > 0, -np.log(uniform), 0.0)
        return attrs.evolve(weights, **{choice.level: moved})

    def _dropped(self, weights: RunWeights, level: Part, points: FloatArray) -> RunWeights:
        """Leave out one part of a level in every run, or none."""
        base = getattr(weights, level)
        parts = droppable(self.weights, level)
        which = (points[:, 0] * (len(parts) + 1)).astype(np.int64)
        kept = np.ones((len(points), base.shape[-1] + 1))
        kept[np.arange(len(points)), np.append(parts, -1)[which]] = 0.0
        shape = (len(points), *(1,) * (base.ndim - 2), base.shape[-1])
        return attrs.evolve(weights, **{level: base * kept[:, :-1].reshape(shape)})

    def _without_empty(self, weights: RunWeights) -> RunWeights:
        """Take the weight of dimensions that have no item left, and of channels without any."""
        dimensions = weights.dimensions * (weights.items @ self.members > 0)
        channels = weights.channels * (dimensions > 0).any(axis=-1)
        return attrs.evolve(weights, dimensions=dimensions, channels=channels)


def droppable(weights: RunWeights | ImportanceWeights, level: Part) -> IntArray:
    """Return the parts of a level that have weight anywhere."""
    base: FloatArray = getattr(weights, level)
    return np.flatnonzero((base > 0).reshape(-1, base.shape[-1]).any(axis=0))


def _width(choice: Choice, shapes: dict[Part, tuple[int, ...]]) -> int:
    """Return how many columns of the unit cube a choice reads."""
    if isinstance(choice, WeightSpread | AnyWeights):
        return int(np.prod(shapes[choice.level]))
    return 0 if isinstance(choice, Sampling) else 1


def _option(points: FloatArray, choice: Options) -> IntArray:
    """Return the option of every run: each has the same share of the unit interval."""
    return (points[:, 0] * len(choice.options)).astype(np.int64)
