import numpy as np
import pytest

from nocigram.evaluation.keypoints import keypoint_errors

XY = np.zeros((2, 2, 2))


def keypoints(*, pred, visible=((True, True), (True, True)), side=100.0):
    return {
        "xy_true_px": XY,
        "xy_pred_px": np.array(pred, dtype=np.float32),
        "visible": np.array(visible),
        "view_side_px": side,
    }


def test_error_is_the_mean_over_x_and_y_of_visible_keypoints(trial_of):
    pred = [[[3, -1], [900, 900]], [[0, 0], [2, 4]]]
    trial = trial_of([0, 1], **keypoints(pred=pred, visible=[[True, False], [True, True]]))
    errors = keypoint_errors([trial])
    assert errors.mae_px == pytest.approx((2 + 0 + 3) / 3)
    assert errors.mae_norm == pytest.approx((2 + 0 + 3) / 3 / 100)


def test_unscored_frames_count_in_no_error(trial_of):
    trial = trial_of([0, -1], **keypoints(pred=[[[1, 1], [1, 1]], [[99, 99], [99, 99]]]))
    assert keypoint_errors([trial]).mae_px == pytest.approx(1.0)


def test_each_frame_is_measured_by_its_own_view(trial_of):
    trial = trial_of([0, 0], **keypoints(pred=[[[1, 1], [1, 1]], [[2, 2], [2, 2]]], side=np.array([10.0, 100.0])))
    assert keypoint_errors([trial]).mae_norm == pytest.approx((0.1 + 0.02) / 2)


def test_keypoints_of_all_trials_count_alike(trial_of):
    two = trial_of([0, 0], **keypoints(pred=np.full((2, 2, 2), 4.0)))
    one = trial_of([0, 0], **keypoints(pred=np.full((2, 2, 2), 1.0), visible=[[True, False], [False, False]]))
    without = trial_of([0, 0])
    assert keypoint_errors([two, one, without]).mae_px == pytest.approx((4 * 4 + 1) / 5)


@pytest.mark.parametrize("visible", [None, np.zeros((2, 2), dtype=bool)], ids=["no keypoint head", "none visible"])
def test_without_a_visible_keypoint_there_is_no_error(trial_of, visible):
    options = {} if visible is None else keypoints(pred=XY, visible=visible)
    assert keypoint_errors([trial_of([0, 1], **options)]) is None
