"""Videos whose pixels carry their frame number."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nocigram.video.encode import VideoWriter

N_BITS, BLOCK_PX = 10, 16
WIDTH_PX, HEIGHT_PX = N_BITS * BLOCK_PX, 48


def stamped_frame(number: int) -> np.ndarray:
    """A grey picture with its number as a row of black and white blocks above a background that moves."""
    picture = np.roll(np.linspace(60, 190, WIDTH_PX), 7 * number)[None].repeat(HEIGHT_PX, axis=0).astype(np.uint8)
    for bit in range(N_BITS):
        picture[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 235 if number >> bit & 1 else 20
    return picture


def number_in(pixels: np.ndarray) -> int:
    """The number that a decoded (C, H, W) frame carries."""
    centres = pixels[0, BLOCK_PX // 2, BLOCK_PX // 2 :: BLOCK_PX]
    return sum(1 << bit for bit, level in enumerate(centres) if level > 127)


def write_stamped_video(
    path: Path, *, n_frames: int = 40, fps: float = 30.0, pts: Sequence[int] | None = None, **options: object
) -> Path:
    """Write a video whose frame i shows i; `pts` in 1 / fps makes the frame rate variable."""
    with VideoWriter(path, width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=fps, **options) as writer:
        for number in range(n_frames):
            writer.write(stamped_frame(number), pts=None if pts is None else pts[number])
    return path
