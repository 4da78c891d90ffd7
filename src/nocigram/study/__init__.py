"""What needs several rooms together: evaluating a checkpoint on labelled recordings, launching independent jobs."""

from nocigram.study.evaluate import Evaluation, evaluate
from nocigram.study.jobs import Job
from nocigram.study.launch import FailedJobsError, launch

__all__ = ["Evaluation", "FailedJobsError", "Job", "evaluate", "launch"]
