"""The sampling design: clusters and strata, and what every place holds of them."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sotongindex._arrays import FloatArray, IntArray, distinct
from sotongindex.errors import MethodError
from sotongindex.responses import Responses
from sotongindex.variance import Linearization


@attrs.frozen(kw_only=True, eq=False)
class Touched:
    """What every place (a unit or an organization) holds of the sample.

    Attributes:
        clusters: Clusters that rated it, (places,).
        cost: Degrees of freedom that its strata's means cost it, 1 or more, (places,).
        frame: Clusters in the strata its clusters come from, (places,).
    """

    clusters: IntArray
    cost: FloatArray
    frame: IntArray

    @classmethod
    def of(
        cls, place: IntArray, cluster: IntArray, *, stratum: IntArray, sizes: IntArray, places: int
    ) -> Touched:
        """Count what the rows (place, cluster) hold."""
        pairs = distinct(place * len(stratum) + cluster)
        at, clusters = np.divmod(pairs, len(stratum))
        # A stratum's mean costs one degree of freedom, shared by those whom its clusters rate.
        cost = np.bincount(at, 1.0 / sizes[stratum[clusters]], places)
        strata = distinct(at * len(sizes) + stratum[clusters])
        frame = np.zeros(places, dtype=np.int64)
        np.add.at(frame, strata // len(sizes), sizes[strata % len(sizes)])
        return cls(
            clusters=np.bincount(at, minlength=places).astype(np.int64),
            cost=np.maximum(cost, 1.0),
            frame=frame,
        )


@attrs.frozen(kw_only=True, eq=False)
class Design:
    """Clusters and strata of the whole sample.

    Attributes:
        stratum: Stratum of every cluster, (clusters,).
        sizes: Clusters in every stratum, (h,).
        stretch: Square root of (1 - f) m / (m - 1) of every cluster's stratum, (clusters,).
        centred: 1 / m of every stratum whose mean is taken off, else 0, (h,).
        units: What every organization on a channel holds of it.
        organizations: What every organization holds of it.
    """

    stratum: IntArray
    sizes: IntArray
    stretch: FloatArray
    centred: FloatArray
    units: Touched
    organizations: Touched

    @classmethod
    def of(cls, responses: Responses, method: Linearization) -> Design:
        """Count clusters by stratum, unit and organization.

        Raises:
            MethodError: If a stratum has one cluster and `method` names no rule for it.
        """
        cluster = responses.clusters.astype(np.int64)
        stratum, sizes = strata_of(responses)
        lonely = lonely_strata(responses, sizes, fails=method.lonely == "error")
        scale = np.where(lonely, float(method.lonely in _KEPT), sizes / np.maximum(sizes - 1, 1))
        scale *= 1.0 - sampled_shares(responses, sizes)
        if method.lonely == "average" and lonely.any():
            scale *= len(sizes) / max(len(sizes) - lonely.sum(), 1)
        organization = responses.organization.astype(np.int64)
        channels = len(responses.study.framework.channels)
        count = len(responses.study.organizations)
        return cls(
            stratum=stratum,
            sizes=sizes,
            stretch=np.sqrt(scale)[stratum],
            centred=np.where(lonely, 0.0, 1.0 / np.maximum(sizes, 1)),
            units=Touched.of(
                organization * channels + responses.channel,
                cluster,
                stratum=stratum,
                sizes=sizes,
                places=count * channels,
            ),
            organizations=Touched.of(
                organization, cluster, stratum=stratum, sizes=sizes, places=count
            ),
        )

    def strata(self) -> sparse.csr_array:
        """Return whether a cluster lies in a stratum whose mean is taken off, (clusters, h)."""
        rows, shape = np.arange(len(self.stratum) + 1), (len(self.stratum), len(self.sizes))
        found = (self.centred > 0).astype(np.float64)[self.stratum]
        return sparse.csr_array((found, self.stratum, rows), shape=shape)


# Rules that keep a stratum's only cluster, with the overall mean in place of the stratum's.
_KEPT = ("error", "adjust")


def strata_of(responses: Responses) -> tuple[IntArray, IntArray]:
    """Return the stratum of every cluster, (clusters,), and the clusters in each, (h,)."""
    stratum = np.zeros(len(responses.cluster_labels), dtype=np.int64)
    if responses.stratum is not None:
        stratum[responses.clusters] = responses.stratum
    return stratum, np.bincount(stratum, minlength=1)


def lonely_strata(responses: Responses, sizes: IntArray, *, fails: bool) -> NDArray[np.bool_]:
    """Return which strata have one cluster, (h,).

    Raises:
        MethodError: If there are any and that `fails`.
    """
    lonely: NDArray[np.bool_] = sizes == 1
    # A sample of one cluster has no error to find; only a design of several has a fault.
    if fails and lonely.any() and len(sizes) > 1:
        names = ", ".join(repr(responses.stratum_keys[h]) for h in np.flatnonzero(lonely)[:5])
        raise MethodError(
            f"{lonely.sum()} of {len(sizes)} strata have one cluster: {names}; merge them with "
            'others, or choose Linearization(lonely="certainty"), "remove", "adjust" or "average"',
            argument="lonely",
        )
    return lonely


def sampled_shares(responses: Responses, sizes: IntArray) -> FloatArray:
    """Return the share of every stratum's clusters that is in the sample, (h,); 0 if not told."""
    if responses.stratum_populations is None:
        return np.zeros(len(sizes))
    shares: FloatArray = sizes / responses.stratum_populations
    return shares
