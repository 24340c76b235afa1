"""The Technology Achievement Index of 23 countries, as printed.

OECD and JRC (2008), Handbook on Constructing Composite Indicators, doi:10.1787/9789264043466-en:
the data of the 23 leading countries, Table 11 (Cronbach's alpha), Table 16 (eigenvalues) and the
weights by factor analysis of Table 22. Telephones and electricity are logarithms to base 10, as
printed to two digits, so that correlations differ from the authors' in the third digit.
"""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex.reliability import cronbach_alpha
from sotongindex.weighting import FactorWeights

# Patents, royalties, internet, exports, telephones, electricity, schooling, university.
TAI = np.array([
    [187, 125.6, 200.2, 50.7, 3.08, 4.15, 10.0, 27.4],  # Finland
    [289, 130.0, 179.1, 66.2, 3.00, 4.07, 12.0, 13.9],  # United States
    [271, 156.6, 125.8, 59.7, 3.10, 4.14, 11.4, 15.3],  # Sweden
    [994, 64.6, 49.0, 80.8, 3.00, 3.86, 9.5, 10.0],  # Japan
    [779, 9.8, 4.8, 66.7, 2.97, 3.65, 10.8, 23.2],  # Korea
    [189, 151.2, 136.0, 50.9, 3.02, 3.77, 9.4, 9.5],  # Netherlands
    [82, 134.0, 57.4, 61.9, 3.02, 3.73, 9.4, 14.9],  # United Kingdom
    [31, 38.6, 108.0, 48.7, 2.94, 4.18, 11.6, 14.2],  # Canada
    [75, 18.2, 125.9, 16.2, 2.94, 3.94, 10.9, 25.3],  # Australia
    [8, 25.5, 72.3, 74.9, 2.95, 3.83, 7.1, 24.2],  # Singapore
    [235, 36.8, 41.2, 64.2, 2.94, 3.75, 10.2, 14.4],  # Germany
    [103, 20.2, 193.6, 19.0, 3.12, 4.39, 11.9, 11.2],  # Norway
    [106, 110.3, 48.6, 53.6, 2.97, 3.68, 9.4, 12.3],  # Ireland
    [72, 73.9, 58.9, 47.6, 2.91, 3.86, 9.3, 13.6],  # Belgium
    [103, 13.0, 146.7, 15.4, 2.86, 3.91, 11.7, 13.1],  # New Zealand
    [165, 14.8, 84.2, 50.3, 2.99, 3.79, 8.4, 13.6],  # Austria
    [205, 33.6, 36.4, 58.9, 2.97, 3.80, 7.9, 12.6],  # France
    [74, 43.6, 43.2, 45.0, 2.96, 3.74, 9.6, 11.0],  # Israel
    [42, 8.6, 21.0, 53.4, 2.86, 3.62, 7.3, 15.6],  # Spain
    [13, 9.8, 30.4, 51.0, 3.00, 3.65, 7.2, 13.0],  # Italy
    [28, 4.2, 25.0, 51.7, 2.75, 3.68, 9.5, 8.2],  # Czech Republic
    [26, 6.2, 21.6, 63.5, 2.73, 3.46, 9.1, 7.7],  # Hungary
    [105, 4.0, 20.3, 49.5, 2.84, 3.71, 7.1, 10.6],  # Slovenia
])  # fmt: skip


def test_eigenvalues_of_table_16():
    """Four of the eight are kept there: those that explain more than 10 %."""
    found = FactorWeights(retain="share").learn(TAI)
    printed = [41.9, 21.8, 12.3, 11.1, 6.0, 3.7, 2.2, 0.9]
    np.testing.assert_allclose(100 * found.eigenvalues / 8, printed, atol=0.15)
    assert found.loadings.shape == (8, 4)
    # Of Table 17: patents on their own factor.
    assert found.loadings[0].max() == pytest.approx(0.97, abs=0.005)


def test_factor_weights_of_table_22():
    """Exports belong to the factor they rise with (.56), though they fall more with another.

    The factor of internet and schooling has the larger loading of exports, -.65; counted there,
    their weight would be .074. The printed weights have two digits, of rounded loadings.
    """
    found = FactorWeights(retain="share").learn(TAI)
    printed = [0.17, 0.15, 0.11, 0.06, 0.08, 0.13, 0.13, 0.17]
    np.testing.assert_allclose(found.weights, printed, atol=0.012)
    assert found.factor[3] == found.factor[0]
    assert found.loadings[3].min() == pytest.approx(-0.65, abs=0.01)


def test_alpha_of_table_11():
    found = cronbach_alpha(TAI, standardized=True)
    assert found.alpha == pytest.approx(0.70, abs=0.005)
    np.testing.assert_allclose(
        found.item_total, [0.261, 0.527, 0.566, -0.108, 0.701, 0.614, 0.451, 0.249], atol=0.0065
    )
    np.testing.assert_allclose(
        found.if_dropped, [0.704, 0.645, 0.636, 0.774, 0.603, 0.624, 0.662, 0.706], atol=0.0015
    )
