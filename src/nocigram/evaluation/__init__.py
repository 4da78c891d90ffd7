"""Labels and predictions to scores: arrays in, numbers out."""

from nocigram.evaluation._events_text import events_as_text
from nocigram.evaluation._human_text import human_as_text
from nocigram.evaluation.calibration import (
    Reliability,
    frames_that_count,
    reliability_by_action,
    reliability_of_best,
)
from nocigram.evaluation.events import Events, score_events
from nocigram.evaluation.human import HumanCeiling, compare_pair, human_ceiling
from nocigram.evaluation.intervals import Measured, measure
from nocigram.evaluation.paired import PairedTest, paired_test
from nocigram.evaluation.scores import ActionScores, Scores, score_trials
from nocigram.evaluation.support import ActionSupport, action_support, not_assessable, score_animals
from nocigram.evaluation.thresholds import TunedThreshold, best_thresholds
from nocigram.evaluation.timing import Timing
from nocigram.evaluation.trial_prediction import TrialPrediction

__all__ = [
    "ActionScores",
    "ActionSupport",
    "Events",
    "HumanCeiling",
    "Measured",
    "PairedTest",
    "Reliability",
    "Scores",
    "Timing",
    "TrialPrediction",
    "TunedThreshold",
    "action_support",
    "best_thresholds",
    "compare_pair",
    "events_as_text",
    "frames_that_count",
    "human_as_text",
    "human_ceiling",
    "measure",
    "not_assessable",
    "paired_test",
    "reliability_by_action",
    "reliability_of_best",
    "score_animals",
    "score_events",
    "score_trials",
]
