"""Labels and predictions to scores: arrays in, numbers out."""

from nocigram.evaluation.calibration import (
    Reliability,
    frames_that_count,
    reliability_by_action,
    reliability_of_best,
)
from nocigram.evaluation.intervals import Measured, measure
from nocigram.evaluation.paired import PairedTest, paired_test
from nocigram.evaluation.scores import ActionScores, Scores, score_trials
from nocigram.evaluation.support import ActionSupport, action_support, not_assessable, score_animals
from nocigram.evaluation.thresholds import TunedThreshold, best_thresholds
from nocigram.evaluation.trial_prediction import TrialPrediction

__all__ = [
    "ActionScores",
    "ActionSupport",
    "Measured",
    "PairedTest",
    "Reliability",
    "Scores",
    "TrialPrediction",
    "TunedThreshold",
    "action_support",
    "best_thresholds",
    "frames_that_count",
    "measure",
    "not_assessable",
    "paired_test",
    "reliability_by_action",
    "reliability_of_best",
    "score_animals",
    "score_trials",
]
