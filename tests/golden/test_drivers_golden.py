"""Published decompositions of explained variance."""

from __future__ import annotations

import numpy as np

from sotongindex.drivers import relative_weights, shapley_importance, standardized_slopes

# Azen and Budescu (2003), doi:10.1037/1082-989X.8.2.129: the correlations of their example, and its
# general dominance to the digits printed. Johnson's weights and slopes were computed with R.
AMONG = [[1.0, 0.8, 0.1, 0.3], [0.8, 1.0, 0.1, 0.1], [0.1, 0.1, 1.0, 0.5], [0.3, 0.1, 0.5, 1.0]]
OUTCOME = [0.6, 0.3, 0.4, 0.5]
GENERAL_DOMINANCE = [0.292, 0.076, 0.095, 0.121]
JOHNSON = [0.290759021959285, 0.0761198025050863, 0.0976061462474611, 0.11986754727378]
SLOPES = [0.904676258992806, -0.465827338129497, 0.29136690647482, 0.129496402877698]


def test_general_dominance_of_azen_and_budescu() -> None:
    np.testing.assert_allclose(shapley_importance(AMONG, OUTCOME), GENERAL_DOMINANCE, atol=5e-4)


def test_relative_weights_and_slopes_of_their_example() -> None:
    np.testing.assert_allclose(relative_weights(AMONG, OUTCOME), JOHNSON, rtol=1e-12)
    np.testing.assert_allclose(standardized_slopes(AMONG, OUTCOME), SLOPES, rtol=1e-12)
