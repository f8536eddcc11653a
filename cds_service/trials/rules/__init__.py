"""The rule kinds: each reads one kind of criterion, with parameters that the protocol gives it."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.trials.rules.active_infection import ActiveInfection
from cds_service.trials.rules.acute_gvhd import AcuteGvhd
from cds_service.trials.rules.base import Rule
from cds_service.trials.rules.clearance import CreatinineClearance
from cds_service.trials.rules.demography import AgeLimits, AnyValue
from cds_service.trials.rules.diagnosis import ActiveDiagnosis, LifetimeHistory
from cds_service.trials.rules.dialysis import OngoingDialysis
from cds_service.trials.rules.hypertension import UncontrolledHypertension
from cds_service.trials.rules.lab_limit import LabLimit
from cds_service.trials.rules.lab_ratio import LabRatio
from cds_service.trials.rules.new_therapy import NewTherapy
from cds_service.trials.rules.other_study import OtherStudy
from cds_service.trials.rules.overlap import OverlapSyndrome
from cds_service.trials.rules.people import Ask, AskBesideExamination, KnownAllergy
from cds_service.trials.rules.performance import PerformanceStatus
from cds_service.trials.rules.pregnancy import Pregnancy
from cds_service.trials.rules.recent_event import RecentEvent
from cds_service.trials.rules.severity import SeverityGrade
from cds_service.trials.rules.steroid_ceiling import SteroidCeiling
from cds_service.trials.rules.steroid_course import SteroidCourse
from cds_service.trials.rules.steroid_dependence import SteroidDependence
from cds_service.trials.rules.steroid_resistance import SteroidResistance
from cds_service.trials.rules.steroid_stability import SteroidStability
from cds_service.trials.rules.therapy_stability import TherapyStability
from cds_service.trials.rules.transplant import TransplantHistory
from cds_service.trials.rules.washout import Washout

# The word after `rule:` in a protocol's YAML -> the rule kind.
RULES: Mapping[str, type[Rule]] = {
    "age": AgeLimits,
    "any": AnyValue,
    "ask": Ask,
    "ask_beside_examination": AskBesideExamination,
    "known_allergy": KnownAllergy,
    "other_study": OtherStudy,
    "transplant_history": TransplantHistory,
    "active_diagnosis": ActiveDiagnosis,
    "active_infection": ActiveInfection,
    "lifetime_history": LifetimeHistory,
    "uncontrolled_hypertension": UncontrolledHypertension,
    "severity_grade": SeverityGrade,
    "steroid_resistance": SteroidResistance,
    "steroid_dependence": SteroidDependence,
    "steroid_course": SteroidCourse,
    "steroid_stability": SteroidStability,
    "steroid_ceiling": SteroidCeiling,
    "therapy_stability": TherapyStability,
    "performance_status": PerformanceStatus,
    "creatinine_clearance": CreatinineClearance,
    "lab_limit": LabLimit,
    "lab_ratio": LabRatio,
    "pregnancy": Pregnancy,
    "acute_gvhd": AcuteGvhd,
    "overlap_syndrome": OverlapSyndrome,
    "recent_event": RecentEvent,
    "ongoing_dialysis": OngoingDialysis,
    "washout": Washout,
    "new_therapy": NewTherapy,
}
