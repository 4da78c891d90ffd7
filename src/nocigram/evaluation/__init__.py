"""Labels and predictions to scores: arrays in, numbers out."""

from nocigram.evaluation.scores import ActionScores, Scores, score_trials
from nocigram.evaluation.thresholds import TunedThreshold, best_thresholds
from nocigram.evaluation.trial_prediction import TrialPrediction

__all__ = ["ActionScores", "Scores", "TrialPrediction", "TunedThreshold", "best_thresholds", "score_trials"]
