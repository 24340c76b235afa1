"""How much each channel, dimension or item counts in fact: what it explains of the index."""

from __future__ import annotations

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, float_array
from sotongindex._choices import Part
from sotongindex._climb import weighted_means
from sotongindex._columns import rows_from_columns
from sotongindex._html import View
from sotongindex._rank_sets import Rng
from sotongindex._render import Rendered, rows_view
from sotongindex._starts import has_items
from sotongindex._text import Language
from sotongindex._validators import check_choice
from sotongindex.errors import MethodError
from sotongindex.results import IndexResult

_FEWEST = 5
_RESAMPLES = 200
# What varies by less than this share of its size is constant.
_SAME = 1e-12


@attrs.frozen(kw_only=True, eq=False)
class EffectiveImportance(Rendered):
    """What the parts of an index explain of it, beside their weights. Arrays are (p,).

    Attributes:
        result: The scores.
        level: What the parts are: "channels", "dimensions" or "items".
        parts: Their keys.
        weight: Their importance weights, summed over channels; they sum to 1.
        correlation: The correlation of part and index over organizations, -1 to 1.
        ratio: The correlation ratio: the share of the variance of the index that goes with the
            part, 0 to 1.
        ratio_low: The lower end of its interval.
        ratio_high: The upper end.
        organizations: How many organizations have a score in the part.
        interval_level: The level of the intervals.
    """

    result: IndexResult
    level: Part
    parts: tuple[str, ...]
    weight: FloatArray = attrs.field(converter=float_array)
    correlation: FloatArray = attrs.field(converter=float_array)
    ratio: FloatArray = attrs.field(converter=float_array)
    ratio_low: FloatArray = attrs.field(converter=float_array)
    ratio_high: FloatArray = attrs.field(converter=float_array)
    organizations: FloatArray = attrs.field(converter=float_array)
    interval_level: float

    @property
    def share(self) -> FloatArray:
        """The correlation ratios scaled to sum to 1, to be read beside the weights."""
        total = self.ratio.sum()
        shares: FloatArray = self.ratio / (total or 1.0)
        return shares

    def to_rows(self) -> list[dict[str, object]]:
        """Return one row for every part, in the order of the framework."""
        return rows_from_columns(
            {
                self.level.removesuffix("s"): self.parts,
                "weight": self.weight,
                "share": self.share,
                "correlation": self.correlation,
                "ratio": self.ratio,
                "ratio_low": self.ratio_low,
                "ratio_high": self.ratio_high,
                "organizations": self.organizations.astype(int),
            }
        )

    def _view(self, language: Language) -> View:
        rows = [
            {key: 100 * value if isinstance(value, float) else value for key, value in row.items()}
            for row in self.to_rows()
        ]
        return rows_view(
            "importance",
            rows,
            language=language,
            study=self.result.study,
            level=self.interval_level,
        )

    def __str__(self) -> str:
        told = (
            f"{part} {weight:.2f} > {share:.2f}"
            for part, weight, share in zip(self.parts, self.weight, self.share, strict=True)
        )
        return f"weight > effective importance of {self.level}: {', '.join(told)}"


def effective_importance(
    result: IndexResult,
    level: Part = "dimensions",
    *,
    interval_level: float | None = None,
    rng: Rng = None,
) -> EffectiveImportance:
    r"""Return what the parts of an index explain of it, which their weights do not tell.

    The correlation ratio of part :math:`x` and index :math:`y` over organizations is

    .. math:: \eta^2 = \frac{\operatorname{Var} E(y \mid x)}{\operatorname{Var} y} .

    A part that varies much, or goes with the others, explains more than its weight says; one that
    is about the same everywhere explains nothing, whatever its weight. The mean of :math:`y` given
    :math:`x` is a polynomial of degree 1 to 3, whichever predicts an organization best that is left
    out. Under a linear index and normal scores :math:`\eta^2` is the squared correlation. Ratios do
    not add up to 1, as parts go together. Intervals are from a bootstrap of organizations; scores
    are taken as they are, so sampling errors make ratios a little different from those of the true
    scores.

    Args:
        result: The scores.
        level: The parts: "channels", "dimensions" or "items"; an item's score is its mean over
            channels, as is its weight.
        interval_level: The level of the intervals; None means that of the result.
        rng: A seed or a generator.

    Returns:
        The importance of every part. A part that does not vary has ratio and correlation 0.

    Raises:
        MethodError: If the level is unknown, there are no items, or fewer than 5 organizations have
            a score in a part.

    References:
        Paruolo, Saisana and Saltelli (2013), doi:10.1111/j.1467-985X.2012.01059.x. Becker, Saisana,
        Paruolo and Vandecasteele (2017), doi:10.1016/j.ecolind.2017.03.056.

    >>> from sotongindex.datasets import sample_panel
    >>> from sotongindex.index import compute_index
    >>> result = compute_index(sample_panel(rng=1).responses)
    >>> found = effective_importance(result, "channels", rng=1)
    >>> found.parts, found.weight.round(2).tolist(), found.share.round(2).tolist()
    (('blog', 'twitter', 'facebook'), [0.33, 0.33, 0.33], [0.34, 0.33, 0.33])
    """
    scores, weight = _parts(result, level)
    keys: tuple[str, ...] = getattr(result.study.framework, f"{level.removesuffix('s')}_keys")
    width = result.method.level if interval_level is None else interval_level
    random = np.random.default_rng(rng)
    columns = []
    for key, own in zip(keys, scores.T, strict=True):
        present = ~np.isnan(own) & ~np.isnan(result.index.values)
        if present.sum() < _FEWEST:
            raise MethodError(
                f"expected {_FEWEST} organizations or more with a score in {key!r}, got "
                f"{present.sum()}; choose another level, or more organizations",
                argument="level",
            )
        x, y = own[present], result.index.values[present]
        columns.append([*_explained(x, y, level=width, rng=random), present.sum()])
    names = ("correlation", "ratio", "ratio_low", "ratio_high", "organizations")
    return EffectiveImportance(
        result=result,
        level=level,
        parts=keys,
        weight=weight,
        **dict(zip(names, np.transpose(columns), strict=True)),
        interval_level=width,
    )


def _parts(result: IndexResult, level: Part) -> tuple[FloatArray, FloatArray]:
    """Return the scores of the parts of a level (o, p), and their weights (p,)."""
    check_choice(level, ("channels", "dimensions", "items"), "level")
    weights = result.weights
    across = weights.channels @ weights.dimensions
    if level == "channels":
        return result.channels.values, weights.channels
    if level == "dimensions":
        return result.dimensions.values, across
    if not has_items(result):
        raise MethodError(
            f'a result from {result.source} has no items; use "dimensions"', argument="level"
        )
    dimension_of = np.array(result.study.framework.item_dimensions)
    own = (weights.dimensions[:, dimension_of] * weights.items).T @ weights.channels
    return weighted_means(np.swapaxes(result.items.values, 1, 2), weights.channels), own


def _explained(
    x: FloatArray, y: FloatArray, *, level: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Return correlation and correlation ratio of y by x, with the interval of the ratio."""
    if np.ptp(x) <= _SAME * np.abs(x).max() or np.ptp(y) <= _SAME * np.abs(y).max():
        return 0.0, 0.0, 0.0, 0.0
    scaled = (x - x.mean()) / x.std()
    degree = min((1, 2, 3), key=lambda one: _left_out_error(scaled, y, one))
    rows = rng.integers(len(x), size=(_RESAMPLES, len(x)))
    tail = (1 - level) / 2
    low, high = np.quantile(_ratios(scaled[rows], y[rows], degree), [tail, 1 - tail])
    (ratio,) = _ratios(scaled[None], y[None], degree)
    return float(np.corrcoef(x, y)[0, 1]), float(ratio), float(low), float(high)


def _left_out_error(x: FloatArray, y: FloatArray, degree: int) -> float:
    """Return the mean squared error of predictions of one that is left out."""
    basis = _basis(x[None], degree)[0]
    leverage = (basis**2).sum(axis=1)
    residual = y - basis @ (basis.T @ y)
    return float(((residual / np.maximum(1 - leverage, _SAME)) ** 2).mean())


def _ratios(x: FloatArray, y: FloatArray, degree: int) -> FloatArray:
    """Return the share of the variance of y (b, n) that a polynomial in x explains, (b,)."""
    centred = y - y.mean(axis=1, keepdims=True)
    explained = np.einsum("bnk,bn->bk", _basis(x, degree), centred)
    total = (centred**2).sum(axis=1)
    ratios = np.divide((explained**2).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
    shares: FloatArray = np.minimum(ratios, 1.0)
    return shares


def _basis(x: FloatArray, degree: int) -> FloatArray:
    """Return orthonormal polynomials in x (b, n): (b, n, degree + 1)."""
    powers = x[..., None] ** np.arange(degree + 1)
    orthonormal: FloatArray = np.linalg.qr(powers)[0]
    return orthonormal
