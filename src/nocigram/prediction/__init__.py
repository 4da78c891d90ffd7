"""A checkpoint and a recording to an action for every frame."""

from nocigram.prediction.answer import Prediction
from nocigram.prediction.folder import Summary, predict_recordings
from nocigram.prediction.predictor import Predictor

__all__ = ["Prediction", "Predictor", "Summary", "predict_recordings"]
