"""sotongindex: a communication index from survey answers, every number with its uncertainty.

The front door holds what most users need. The rooms (`from sotongindex import weighting`) hold the
rest, public and equally stable.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sotongindex._version import __version__
from sotongindex.benchmark import DisclosureRules, compare_to_peers, group_means
from sotongindex.errors import (
    DefinitionError,
    MethodError,
    ResponseError,
    SchemaError,
    SotongIndexError,
)
from sotongindex.gaps import find_gaps
from sotongindex.index import IndexMethod, IndexResult, Powers, blend, compute_index
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    GapClosure,
    GradeCut,
    GradeScale,
    Label,
    Organization,
    PeerGroup,
    PeerStatistic,
    RoleModel,
    Scale,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.recipe import Findings, Recipe, load_recipe, run_recipe, save_recipe
from sotongindex.responses import CheckReport, Layout, Responses, check_responses
from sotongindex.serialize import from_json, to_json
from sotongindex.tally import Tally
from sotongindex.variance import Bootstrap, Estimates, GroupJackknife, Linearization
from sotongindex.weighting import EqualWeights, FixedWeights, WeightingScheme

if TYPE_CHECKING:
    from sotongindex.calibration import calibrate, post_stratify, rake, trim_weights
    from sotongindex.change import compare_waves
    from sotongindex.planning import ImprovementPlan, PlanLever, plan_improvement
    from sotongindex.robustness import assess_robustness

__all__ = [
    "Bootstrap",
    "Channel",
    "CheckReport",
    "DefinitionError",
    "Dimension",
    "DisclosureRules",
    "EqualWeights",
    "Estimates",
    "Findings",
    "FixedWeights",
    "Framework",
    "GapClosure",
    "GradeCut",
    "GradeScale",
    "GroupJackknife",
    "ImprovementPlan",
    "IndexMethod",
    "IndexResult",
    "Label",
    "Layout",
    "Linearization",
    "MethodError",
    "Organization",
    "PeerGroup",
    "PeerStatistic",
    "PlanLever",
    "Powers",
    "Recipe",
    "ResponseError",
    "Responses",
    "RoleModel",
    "Scale",
    "SchemaError",
    "SotongIndexError",
    "Study",
    "SurveyItem",
    "Tally",
    "Target",
    "WeightingScheme",
    "__version__",
    "assess_robustness",
    "blend",
    "calibrate",
    "check_responses",
    "compare_to_peers",
    "compare_waves",
    "compute_index",
    "find_gaps",
    "from_json",
    "group_means",
    "load_recipe",
    "plan_improvement",
    "post_stratify",
    "rake",
    "run_recipe",
    "save_recipe",
    "to_json",
    "trim_weights",
]

# Rooms that nothing else needs are entered when they are asked for: it would take as long again to
# enter them all.
_LATER = {
    "ImprovementPlan": "planning",
    "PlanLever": "planning",
    "assess_robustness": "robustness",
    "calibrate": "calibration",
    "compare_waves": "change",
    "plan_improvement": "planning",
    "post_stratify": "calibration",
    "rake": "calibration",
    "trim_weights": "calibration",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__
