"""Half-open ranges of frames."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class FrameRange:
    """The frames `start, start + 1, ..., stop - 1` of a recording."""

    start: int
    """First frame, counted from 0."""
    stop: int
    """One past the last frame."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"FrameRange: expected 0 <= start < stop, got [{self.start}, {self.stop})")

    def __len__(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        return f"[{self.start}, {self.stop})"

    def shifted(self, n_frames: int) -> "FrameRange":
        """The same length, `n_frames` later."""
        return FrameRange(self.start + n_frames, self.stop + n_frames)
