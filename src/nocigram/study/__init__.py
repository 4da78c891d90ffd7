"""What needs several rooms together: evaluating a checkpoint, cross-validation, comparing approaches."""

from nocigram.study.compare import Comparison, compare
from nocigram.study.crossval import Crossvalidation, crossval
from nocigram.study.evaluate import Evaluation, evaluate
from nocigram.study.jobs import Job
from nocigram.study.launch import FailedJobsError, launch

__all__ = [
    "Comparison",
    "Crossvalidation",
    "Evaluation",
    "FailedJobsError",
    "Job",
    "compare",
    "crossval",
    "evaluate",
    "launch",
]
