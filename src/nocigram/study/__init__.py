"""What needs several rooms together: evaluating a checkpoint on labelled recordings."""

from nocigram.study.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
