import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nocigram.simulation.ethogram import PlannedBout
from nocigram.simulation.motion import Motion, axes_of, move
from nocigram.simulation.movements import controls_of, joined
from nocigram.simulation.traits import draw_animal, draw_camera

MOUTH, TAIL_BASE, L_HIND, R_HIND = 0, 1, 4, 5


def _move(*bouts: tuple[str, int], seed: int = 0, side: int = 1) -> Motion:
    rng = np.random.default_rng(seed)
    animal = draw_animal(rng, name="a", group="CFA", size_px=320)
    planned = [PlannedBout(kind=kind, n_frames=n_frames, side=side) for kind, n_frames in bouts]
    controls = joined([controls_of(rng, bout, animal=animal) for bout in planned])
    return move(rng, controls, animal=animal, camera=draw_camera(rng, size_px=320))


def _between(motion: Motion, first: int, second: int) -> np.ndarray:
    """Distance of two keypoints in body lengths."""
    places = motion.keypoints_px
    return np.linalg.norm(places[:, first] - places[:, second], axis=-1) / motion.length_px


@pytest.mark.parametrize(("side", "paw"), [(1, L_HIND), (-1, R_HIND)])
def test_lick_brings_mouth_and_hind_paw_together(side, paw):
    for seed in range(10):
        distance = _between(_move(("rest", 30), ("paw_lick", 30), ("rest", 30), seed=seed, side=side), MOUTH, paw)
        assert distance[:25].min() > 0.5
        assert distance[35:55].max() < 0.2


@pytest.mark.parametrize("seed", range(6))
def test_shake_oscillates_at_10_to_15_hz(seed):
    motion = _move(("rest", 20), ("paw_shake", 60), ("rest", 20), seed=seed)
    paw = motion.paws_px[22:78, 2] - motion.hips_px[22:78]
    power = np.abs(np.fft.rfft(paw - paw.mean(0), axis=0)).sum(-1)
    peak_hz = np.fft.rfftfreq(len(paw), 1 / 30)[power.argmax()]
    assert 10 <= peak_hz <= 15
    assert np.ptp(paw, axis=0).max() > 0.05 * motion.length_px


@pytest.mark.parametrize(
    ("kind", "n_frames", "low", "high"),
    [
        pytest.param("paw_withdraw", 8, 0.0, 0.2, id="a withdrawn paw leaves the glass"),
        pytest.param("paw_guard", 30, 0.0, 0.3, id="a guarded paw is held up"),
        pytest.param("flinch", 5, 0.0, 0.2, id="a flinch lifts the paw"),
        pytest.param("weight_shift", 8, 0.85, 1.0, id="a shifted paw stays on the glass"),
        pytest.param("rest", 30, 1.0, 1.0, id="a resting paw stands"),
    ],
)
def test_pressure_of_the_paw(kind, n_frames, low, high):
    motion = _move(("rest", 20), (kind, n_frames), ("rest", 20))
    assert low <= motion.contact[20 : 20 + n_frames, 2].min() <= high
    assert (motion.contact[:18, 2] == 1).all()


def test_a_withdrawn_paw_returns_to_where_it_stood():
    motion = _move(("rest", 20), ("paw_withdraw", 8), ("rest", 20))
    assert np.linalg.norm(motion.paws_px[19, 2] - motion.paws_px[28, 2]) < 0.02 * motion.length_px


def test_shifts_of_weight_and_withdraws_move_the_paw_alike():
    """So that pose alone can't tell them apart."""

    def reach(kind: str) -> np.ndarray:
        motions = [_move(("rest", 20), (kind, 8), ("rest", 20), seed=seed) for seed in range(60)]
        return np.array(
            [np.linalg.norm(m.paws_px[20:28, 2] - m.paws_px[18, 2], axis=-1).max() / m.length_px for m in motions]
        )

    assert np.median(reach("paw_withdraw")) == pytest.approx(np.median(reach("weight_shift")), rel=0.4)
    assert (reach("paw_withdraw") < 0.05).mean() > 0.1, "some withdraws hardly move the keypoint"


def test_walking_moves_the_body_and_planted_paws_stay():
    motion = _move(("walk", 60), seed=2)
    travelled_px = np.linalg.norm(np.diff(motion.hips_px, axis=0), axis=-1).sum()
    assert travelled_px > motion.length_px
    step_px = np.linalg.norm(np.diff(motion.paws_px, axis=0), axis=-1)
    is_planted = (motion.contact[1:] == 1) & (motion.contact[:-1] == 1)
    assert is_planted.mean() > 0.2
    assert step_px[is_planted].max() < 1e-6


def test_rest_keeps_the_body_still():
    motion = _move(("rest", 60))
    assert np.ptp(motion.hips_px, axis=0).max() < 0.01 * motion.length_px


def test_the_left_paws_are_on_the_left_as_seen_from_below():
    motion = _move(("rest", 5))
    _, left = axes_of(motion.heading)
    aside = ((motion.paws_px - motion.hips_px[:, None]) * left[:, None]).sum(-1)
    assert (aside[:, [0, 2]] > 0).all()
    assert (aside[:, [1, 3]] < 0).all()


def test_seen_from_below_left_is_to_the_right_of_an_animal_that_looks_up():
    _, left = axes_of(np.array([-np.pi / 2]))
    assert left[0] == pytest.approx([1, 0])


@given(seed=st.integers(0, 500))
def test_the_body_stays_in_the_picture_and_never_jumps(seed):
    motion = _move(("walk", 200), ("turn", 40), ("walk", 60), seed=seed)
    assert (motion.hips_px > 0).all()
    assert (motion.hips_px < 320).all()
    assert np.linalg.norm(np.diff(motion.hips_px, axis=0), axis=-1).max() < 0.15 * motion.length_px
