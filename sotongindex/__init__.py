"""sotongindex: a communication index from survey answers, every number with its uncertainty.

The front door holds what most users need. The rooms (`from sotongindex import weighting`) hold the
rest, public and equally stable.
"""

from __future__ import annotations

from sotongindex._version import __version__
from sotongindex.benchmark import DisclosureRules, compare_to_peers, group_means
from sotongindex.calibration import calibrate, post_stratify, rake, trim_weights
from sotongindex.change import compare_waves
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
from sotongindex.planning import ImprovementPlan, PlanLever, plan_improvement
from sotongindex.recipe import Findings, Recipe, load_recipe, run_recipe, save_recipe
from sotongindex.responses import CheckReport, Layout, Responses, check_responses
from sotongindex.robustness import assess_robustness
from sotongindex.serialize import from_json, to_json
from sotongindex.tally import Tally
from sotongindex.variance import Bootstrap, Estimates, GroupJackknife, Linearization
from sotongindex.weighting import EqualWeights, FixedWeights, WeightingScheme

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
