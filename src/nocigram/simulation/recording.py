"""A simulated recording in memory. T frames, K keypoints, H height, W width."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from nocigram.core.ranges import FrameRange
from nocigram.simulation.annotator import annotate
from nocigram.simulation.ethogram import TRIAL_N_FRAMES, TrialPlan, plan_trials
from nocigram.simulation.motion import Motion, move
from nocigram.simulation.movements import controls_of, joined
from nocigram.simulation.render import render
from nocigram.simulation.scene import draw_scene
from nocigram.simulation.sprites import draw_sprites
from nocigram.simulation.tracker import Track, track
from nocigram.simulation.traits import Animal, Camera, Group, draw_animal, draw_camera

DEFAULT_SIZE_PX = 320
_CONTEXT_N_FRAMES = 15
_P_SHORT_FILE = 0.3
_MONTHS, _DAYS = 12, 28


@dataclass(frozen=True, kw_only=True)
class SimulatedTrial:
    """One trial of a recording."""

    number: int
    """From 1."""
    span: FrameRange
    """The labelled frames of the recording; a short file leaves the first 15 of the trial's 360 out."""
    true_actions: Int[np.ndarray, " T"]
    """Original codes of the frames of `span`: what the animal does."""
    annotated_actions: Int[np.ndarray, " T"]
    """What the annotator wrote down."""
    stim_frame: int
    """Frame of the recording at which the paw is stimulated."""


@dataclass(frozen=True, kw_only=True)
class SimulatedRecording:
    """One animal in front of one camera. The frames are drawn when they are asked for."""

    name: str
    """The video's name without its suffix."""
    animal: Animal
    camera: Camera
    plans: tuple[TrialPlan, ...]
    trials: tuple[SimulatedTrial, ...]
    true_actions: Int[np.ndarray, " T"]
    """Original code of every frame of the recording."""
    motion: Motion
    """Body and paws; `motion.keypoints_px` are the true keypoints."""
    tracked: Track
    """The keypoints that a pose network found."""
    render_seed: np.random.SeedSequence

    @property
    def n_frames(self) -> int:
        """Frames of the video."""
        return len(self.true_actions)

    def frames(self) -> Iterator[UInt8[np.ndarray, "H W"]]:
        """Draw the grey frames, the same each time."""
        looks, scene_rng, picture_rng = (np.random.default_rng(seed) for seed in _children(self.render_seed, 3))
        sprites = draw_sprites(looks, animal=self.animal, length_px=self.motion.length_px)
        scene = draw_scene(scene_rng, camera=self.camera)
        yield from render(picture_rng, self.motion, scene=scene, sprites=sprites, animal=self.animal)

    @property
    def true_keypoints_px(self) -> Float[np.ndarray, "T K 2"]:
        """Where the six keypoints really are."""
        return self.motion.keypoints_px


def simulate_recording(
    *, seed: int, index: int, n_trials: int = 3, size_px: int = DEFAULT_SIZE_PX, is_labelled: bool = True
) -> SimulatedRecording:
    """The recording of animal `index` (from 0) of a simulated study; it depends on nothing but these arguments.

    Even animals are inflamed (CFA), odd ones are controls. A recording without annotation belongs to another animal
    than the labelled recording of the same index, and has the same trials inside but none in `trials`.
    """
    seeds = _children(np.random.SeedSequence(seed, spawn_key=(0 if is_labelled else 1, index)), 6)
    traits, plan, movement, tracker, annotator = (np.random.default_rng(child) for child in seeds[:5])
    group: Group = "CFA" if index % 2 == 0 else "control"
    name, animal_name = _names(traits, seed=seed, index=index, is_labelled=is_labelled)
    animal = draw_animal(traits, name=animal_name, group=group, size_px=size_px)
    camera = draw_camera(traits, size_px=size_px)
    plans = tuple(plan_trials(plan, animal=animal, n_trials=n_trials))
    controls = joined([controls_of(movement, bout, animal=animal) for trial in plans for bout in trial.bouts])
    motion = move(movement, controls, animal=animal, camera=camera)
    trials = [_trial(annotator, trial, number=number) for number, trial in enumerate(plans, 1)]
    return SimulatedRecording(
        name=name,
        animal=animal,
        camera=camera,
        plans=plans,
        trials=tuple(trials) if is_labelled else (),
        true_actions=np.concatenate([trial.actions for trial in plans]),
        motion=motion,
        tracked=track(tracker, motion),
        render_seed=seeds[5],
    )


def _children(seed: np.random.SeedSequence, n: int) -> list[np.random.SeedSequence]:
    """Child seeds; unlike `spawn` the same ones each time."""
    return [np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, child)) for child in range(n)]


def _names(rng: np.random.Generator, *, seed: int, index: int, is_labelled: bool) -> tuple[str, str]:
    """Names of the recording and the animal, in the laboratory's manner; no two seeds share one."""
    date = f"2023-{rng.integers(_MONTHS) + 1:02d}-{rng.integers(_DAYS) + 1:02d}"
    sex = "M" if rng.random() < 0.5 else "F"
    number = index + 1 if is_labelled else index + 501
    animal = f"{seed}{sex}{number:03d}"
    return f"shortened_{date}_CFA_{number:03d}_{animal}_tracking", animal


def _trial(rng: np.random.Generator, plan: TrialPlan, *, number: int) -> SimulatedTrial:
    """What is known of a trial: its span, actions and annotation."""
    first = (number - 1) * TRIAL_N_FRAMES
    skipped = _CONTEXT_N_FRAMES if rng.random() < _P_SHORT_FILE else 0
    return SimulatedTrial(
        number=number,
        span=FrameRange(first + skipped, first + TRIAL_N_FRAMES),
        true_actions=plan.actions[skipped:],
        annotated_actions=annotate(rng, plan.actions)[skipped:],
        stim_frame=first + plan.stim_frame,
    )
