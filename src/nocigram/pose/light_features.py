"""What the light at the paws says of each frame: how bright, against the glass about it, since when, on which side.

B batch, T frames, K keypoints, P paws, L light numbers, C those of them that are compared, F features.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from nocigram.pose.light import CONTRAST, N_LIGHT, PAW_MEAN
from nocigram.pose.skeleton import Skeleton, left_right_pairs

LIGHT_LAGS_N_FRAMES = (1, 3)
"""Changes are differences over so many frames on either side."""
_COMPARED = (PAW_MEAN, CONTRAST)
"""Light numbers of which changes and differences of sides are taken."""


def n_light_features(skeleton: Skeleton) -> int:
    """Numbers of a frame."""
    per_paw = N_LIGHT + len(LIGHT_LAGS_N_FRAMES) * len(_COMPARED)
    return per_paw * len(skeleton.paws) + len(_COMPARED) * len(_paw_pairs(skeleton))


def light_features(
    light: Float[Tensor, "B T K L"], valid: Bool[Tensor, "B T"], skeleton: Skeleton
) -> Float[Tensor, "B T F"]:
    """F = `n_light_features` numbers of each frame.

    In order: the light numbers of each paw; for each lag the change of each paw's brightness and contrast from so many
    frames before to so many after; the brightness and contrast of each left paw less that of the right one. A paw whose
    light is unknown has zeros throughout, which no lit paw has; a change or difference that needs it is 0.

    Args:
        light: as `normalised_light` gives it, 0 where it is unknown.
        valid: False for padding; a change that would reach into it is 0.
        skeleton: says which keypoints are paws and which are left and right of each other.
    """
    at_paws = light[:, :, list(skeleton.paws)]
    known = (at_paws != 0).any(dim=-1) & valid[..., None]
    at_paws = at_paws * known[..., None]
    compared = at_paws[..., list(_COMPARED)]
    parts = [at_paws, *(_change(compared, known, lag=lag) for lag in LIGHT_LAGS_N_FRAMES)]
    left, right = torch.tensor(_paw_pairs(skeleton), dtype=torch.long, device=light.device).view(-1, 2).unbind(dim=-1)
    both = (known[:, :, left] & known[:, :, right])[..., None]
    parts.append((compared[:, :, left] - compared[:, :, right]) * both)
    return torch.cat([part.flatten(2) for part in parts], dim=-1)


def _paw_pairs(skeleton: Skeleton) -> list[tuple[int, int]]:
    """Left and right paw of each pair, as positions in `paws`."""
    paws = skeleton.paws
    pairs = left_right_pairs(skeleton.names)
    return [(paws.index(left), paws.index(right)) for left, right in pairs if left in paws and right in paws]


def _change(x: Float[Tensor, "B T P C"], known: Bool[Tensor, "B T P"], *, lag: int) -> Float[Tensor, "B T P C"]:
    """Differences of the frames on either side; 0 where one of the three is unknown."""
    if x.shape[1] <= 2 * lag:
        return torch.zeros_like(x)
    all_three = known[:, 2 * lag :] & known[:, lag:-lag] & known[:, : -2 * lag]
    inner = (x[:, 2 * lag :] - x[:, : -2 * lag]) * all_three[..., None]
    return functional.pad(inner, (0, 0, 0, 0, lag, lag))
