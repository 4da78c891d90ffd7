"""Labelled trials as windows, and the model's answers to windows as scored trials. For validation and evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from nocigram.core.bouts import without_edges
from nocigram.core.ranges import FrameRange
from nocigram.data.batches import Window, Windows, collate
from nocigram.data.records import Discovery, Trial
from nocigram.data.sources import Source
from nocigram.data.view import from_view
from nocigram.data.windows import Rows, plan_windows, stitched
from nocigram.evaluation import TrialPrediction

_N_WINDOWS_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class TrialWindows:
    """Windows that cover every frame of every trial."""

    found: Discovery
    trials: list[Trial]
    sources: Mapping[str, Source]
    window_T: int
    boundary_tolerance: int = 0
    """Labels within so many frames of a change of action are not shown in the windows; answers are of all frames."""
    places: list[tuple[int, FrameRange]] = field(init=False)
    """For each window: position of its trial, frames of that trial."""

    def __post_init__(self) -> None:
        places = [
            (position, window)
            for position, trial in enumerate(self.trials)
            for window in plan_windows(len(trial.span), window_T=self.window_T)
        ]
        object.__setattr__(self, "places", places)

    def dataset(self) -> Windows:
        """The windows with their pixels or features, keypoints and labels."""
        actions = [without_edges(self.found.labels_of(trial), self.boundary_tolerance) for trial in self.trials]
        windows = [
            Window(
                recording=self.trials[position].recording,
                span=window.shifted(self.trials[position].start),
                actions=actions[position][window.start : window.stop],
            )
            for position, window in self.places
        ]
        return Windows(windows, sources=dict(self.sources), window_T=self.window_T)

    def answered(self, run: Callable[[dict[str, Tensor]], tuple[Tensor, Tensor | None]]) -> list[TrialPrediction]:
        """What a model says of every trial.

        Args:
            run: from a model's arguments to logits (B, T, C), and keypoints (B, T, K, 2) in parts of the view's side or
                None.
        """
        probabilities, keypoints = {}, {}
        for batch in DataLoader(self.dataset(), batch_size=_N_WINDOWS_AT_ONCE, collate_fn=collate):
            given = {name: tensor for name, tensor in batch.inputs().items() if tensor is not None}
            logits, found = run(given)
            for row, index in enumerate(batch.index.tolist()):
                probabilities[index] = logits[row].float().softmax(dim=-1).cpu().numpy()
                if found is not None:
                    keypoints[index] = found[row].float().cpu().numpy()
        return self.predictions(probabilities, keypoints)

    def predictions(
        self,
        probabilities: Mapping[int, Float[np.ndarray, "T C"]],
        keypoints: Mapping[int, Float[np.ndarray, "T K 2"]],
    ) -> list[TrialPrediction]:
        """Stitch windows to trials, each frame once; padding is cut off.

        Args:
            probabilities: position of the window -> its probabilities.
            keypoints: the same in parts of the view's side; empty for a model without a keypoint head.
        """
        answers: list[list[tuple[FrameRange, Rows]]] = [[] for _ in self.trials]
        for index, (position, window) in enumerate(self.places):
            rows = {"probabilities": np.asarray(probabilities[index][: len(window)], dtype=np.float64)}
            if keypoints:
                rows["keypoints"] = np.asarray(keypoints[index][: len(window)], dtype=np.float64)
            answers[position].append((window, rows))
        return [self._prediction(trial, stitched(windows)) for trial, windows in zip(self.trials, answers, strict=True)]

    def _prediction(self, trial: Trial, rows: Rows) -> TrialPrediction:
        """One trial, labels beside predictions."""
        source = self.sources[trial.recording]
        keypoints: dict[str, Any] = {}
        if "keypoints" in rows:
            xy_px, visible = source.recording.pose_of(trial.span)
            boxes = source.view.boxes_of(trial.start, trial.stop)
            keypoints = {
                "xy_true_px": xy_px,
                "xy_pred_px": from_view(rows["keypoints"], boxes),
                "visible": visible,
                "view_side_px": boxes[:, 2].astype(np.float64),
            }
        return TrialPrediction(
            recording=trial.recording,
            trial=trial.number,
            animal=trial.animal,
            labels=self.found.labels_of(trial),
            probabilities=rows["probabilities"],
            **keypoints,
        )
