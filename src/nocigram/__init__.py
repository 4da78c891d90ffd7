"""Nocigram: from videos of mice, keypoint tracks and a few labelled trials to the action of every frame."""
