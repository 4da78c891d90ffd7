from pathlib import Path

import numpy as np
import pytest

from nocigram.core.errors import InputError
from nocigram.pose.skeleton import DEFAULT_KEYPOINTS
from nocigram.pose.tracks import PoseTrack, select_keypoints, visible_keypoints


def track_of(*names, n_frames=4):
    """A track whose keypoint k is at (k, frame) with likelihood k / 10."""
    xy = np.stack(np.meshgrid(np.arange(len(names)), np.arange(n_frames)), axis=-1).astype(np.float32)
    return PoseTrack(path=Path("mouse3.csv"), names=names, xy_px=xy, likelihood=xy[..., 0] / 10)


def refuse(message):
    raise AssertionError(message)


def test_keypoints_come_in_the_order_asked_for():
    track = track_of("R_hindpaw", "L_hindpaw", "tail_base", "mouth", "extra", "R_frontpaw", "L_frontpaw")
    xy_px, likelihood, found = select_keypoints(track, DEFAULT_KEYPOINTS, warn=refuse)
    assert found == DEFAULT_KEYPOINTS
    assert xy_px[2].tolist() == [[3, 2], [2, 2], [6, 2], [5, 2], [1, 2], [0, 2]]
    np.testing.assert_allclose(likelihood[0], [0.3, 0.2, 0.6, 0.5, 0.1, 0.0])


def test_names_match_without_case_and_by_alias():
    track = track_of("Snout", "Butt/Proximal Tail", "Front Paw L", "rfp", "HINDHAND-LEFT", "r_HindPaw")
    xy_px, _, found = select_keypoints(track, DEFAULT_KEYPOINTS, warn=refuse)
    assert found == track.names
    assert xy_px[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_an_exact_name_wins_over_an_alias():
    track = track_of("nose", "Mouth", "tail_base", "lfp", "rfp", "lhp", "rhp")
    assert select_keypoints(track, DEFAULT_KEYPOINTS, warn=refuse)[2][0] == "Mouth"


def test_a_missing_keypoint_warns_and_is_not_visible():
    warnings = []
    track = track_of("muzzle", "tail_base", "lfp", "rfp", "lhp", "rhp")
    xy_px, likelihood, found = select_keypoints(track, DEFAULT_KEYPOINTS, warn=warnings.append)
    assert len(warnings) == 1
    assert warnings[0].startswith("[warn] Keypoint 'mouth' not found in DLC file")
    assert "mouse3.csv, which has muzzle, tail_base, lfp, rfp, lhp, rhp" in warnings[0]
    assert found[0] is None
    assert np.isnan(xy_px[:, 0]).all()
    assert not likelihood[:, 0].any()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(
            ("mouth", "nose", "lfp", "rfp", "lhp", "rhp"),
            "each name of --kp_names to be another keypoint, got 'mouth' and another one for 'Nose'",
            id="two names for one keypoint",
        ),
    ],
)
def test_unusable_kp_names_are_refused(names, message):
    track = track_of("Nose", "tail_base", "lfp", "rfp", "lhp", "rhp")
    with pytest.raises(InputError, match=message):
        select_keypoints(track, names, warn=lambda _: None)


def test_visible_means_at_least_the_threshold_and_a_position():
    xy_px = np.zeros((1, 6, 2), dtype=np.float32)
    xy_px[0, 4] = np.nan
    xy_px[0, 5, 1] = np.inf
    likelihood = np.array([[0.9, 0.8999, 0.95, 0.0, 1.0, 1.0]], dtype=np.float32)
    finite, visible = visible_keypoints(xy_px, likelihood, likelihood_thr=0.9)
    assert visible.tolist() == [[True, False, True, False, False, False]]
    assert not finite.any()


def test_a_likelihood_written_as_the_threshold_passes_it():
    likelihood = np.full((1, 6), np.float32(0.6))
    assert visible_keypoints(np.zeros((1, 6, 2), dtype=np.float32), likelihood, likelihood_thr=0.6)[1].all()


def test_a_hidden_keypoint_keeps_its_position():
    xy_px = np.full((1, 6, 2), 7, dtype=np.float32)
    finite, visible = visible_keypoints(xy_px, np.zeros((1, 6), dtype=np.float32), likelihood_thr=0.9)
    assert (finite == 7).all()
    assert not visible.any()


def test_a_track_whose_arrays_disagree_is_refused():
    with pytest.raises(ValueError, match=r"expected xy_px \(4, 2, 2\)"):
        PoseTrack(
            path=Path("a.csv"),
            names=("a", "b"),
            xy_px=np.zeros((4, 3, 2), dtype=np.float32),
            likelihood=np.zeros((4, 3), dtype=np.float32),
        )
