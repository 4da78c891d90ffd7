"""A tiny laboratory: videos whose pixels carry their frame number, keypoints and labels that are functions of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from nocigram.video.encode import VideoWriter

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

SCORER = "DLC_resnet50_pawtracking_comparisionMay7shuffle1_500000"
COLUMNS = ("mouth", "L_frontpaw", "R_frontpaw", "L_hindpaw", "R_hindpaw", "tail_base")
_KP_OF_COLUMN = (0, 2, 3, 4, 5, 1)
_WIDTH_PX, _HEIGHT_PX, _BLOCK_PX = 64, 48, 16


@dataclass(frozen=True)
class Laboratory:
    """A folder with Videos and Annotations, and the truth about what was written there."""

    folder: Path

    @property
    def videos(self) -> Path:
        return self.folder / "Videos"

    @property
    def annotations(self) -> Path:
        return self.folder / "Annotations"

    @property
    def folders(self) -> dict[str, Path]:
        """Arguments of `discover`."""
        return {"annotations": self.annotations, "videos": self.videos}

    def video(
        self, name: str = "rec.mp4", *, n_frames: int = 40, pts: Sequence[int] | None = None, **how: object
    ) -> Path:
        """A 64x48 video whose frame t shows t; a full view of 64 px holds it unscaled."""
        path = self.videos / name
        with VideoWriter(path, width_px=_WIDTH_PX, height_px=_HEIGHT_PX, **how) as writer:
            for number in range(n_frames):
                picture = stamped_picture(number)
                if how.get("grey") is False:
                    picture = np.stack((picture, picture // 2, 255 - picture), axis=-1)
                writer.write(picture, pts=None if pts is None else pts[number])
        return path

    def pose(self, name: str = "rec", *, n_frames: int = 40, folder: Path | None = None, suffix: str = "") -> Path:
        """A DeepLabCut csv whose keypoints are those of `xy_of` and `visible_of`."""
        path = (folder or self.videos) / f"{name}{SCORER}{suffix}.csv"
        frames = np.arange(n_frames)
        xy, likelihood = self.xy_of(frames), np.where(self.visible_of(frames), 0.99, 0.2)
        table = np.concatenate((xy, likelihood[..., None]), axis=-1)[:, _KP_OF_COLUMN].reshape(n_frames, -1)
        header = [
            ["scorer", *[SCORER] * 18],
            ["bodyparts", *(column for column in COLUMNS for _ in range(3))],
            ["coords", *("x", "y", "likelihood") * 6],
        ]
        rows = [[str(frame), *(f"{cell:g}" for cell in row)] for frame, row in enumerate(table)]
        return self.write(path, header + rows)

    def annotation(
        self, number: int, *, start: int = 0, n_rows: int = 40, video: str = "rec.mp4", stim: int | None = None
    ) -> Path:
        """A file that labels frames `[start, start + n_rows)` by `action_of`; unscored cells are blank."""
        codes = self.action_of(np.arange(start, start + n_rows))
        rows = [[str(row), "" if code < 0 else str(code)] for row, code in enumerate(codes)]
        header = ["Frame", "Action"]
        if stim is not None:
            header, rows = [*header, "StimFrame"], [[*row, str(stim)] for row in rows]
        return self.write(self.annotations / f"prediction_{video}_{number}.csv", [header, *rows])

    def labels(self, codes: Mapping[int, Sequence[int]], *, video: str = "rec.mp4") -> None:
        """Annotation files with the given codes; trial number -> one code a frame, -1 for a blank."""
        for number, actions in codes.items():
            rows = [[str(row), "" if code < 0 else str(code)] for row, code in enumerate(actions)]
            self.write(self.annotations / f"prediction_{video}_{number}.csv", [["Frame", "Action"], *rows])

    def table(
        self, *rows: Sequence[object], header: str = "recording,trial,start,stop,stim_frame,animal,group"
    ) -> Path:
        """recordings.csv beside the folders."""
        cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
        return self.write(self.folder / "recordings.csv", [header.split(","), *cells])

    @staticmethod
    def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
        """A csv of cells."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
        return path

    @staticmethod
    def xy_of(frames: np.ndarray) -> np.ndarray:
        """Keypoints (T, 6, 2) in pixels; another set in each of 64 * 48 frames."""
        k = np.arange(6)
        return np.stack(((7 * frames[:, None] + 5 * k) % 64, (frames[:, None] // 3 + 7 * k) % 48), axis=-1) + 0.25

    @staticmethod
    def visible_of(frames: np.ndarray) -> np.ndarray:
        """Visibility (T, 6)."""
        return (frames[:, None] + np.arange(6)) % 11 != 0

    @staticmethod
    def action_of(frames: np.ndarray) -> np.ndarray:
        """Original codes (T,), -1 in every 13th frame."""
        return np.where(frames % 13 == 0, -1, frames // 7 * 3 % 8)

    @staticmethod
    def numbers_in(pixels: np.ndarray) -> list[int]:
        """The numbers that frames (T, C, 64, 64) of a full view carry; -1 for a black one."""
        top = (_WIDTH_PX - _HEIGHT_PX) // 2 + _BLOCK_PX // 2
        blocks = np.asarray(pixels)[:, 0, top : top + _HEIGHT_PX : _BLOCK_PX, _BLOCK_PX // 2 :: _BLOCK_PX]
        bits = (blocks[:, :3] > 127).reshape(len(blocks), -1)
        numbers = bits @ (1 << np.arange(bits.shape[1]))
        return [int(n) if block.any() else -1 for n, block in zip(numbers, blocks, strict=True)]


def stamped_picture(number: int) -> np.ndarray:
    """A number as 4 x 3 blocks, black for 0 and white for 1."""
    bits = number >> np.arange(12).reshape(3, 4) & 1
    return np.where(bits, 235, 24).astype(np.uint8).repeat(_BLOCK_PX, axis=0).repeat(_BLOCK_PX, axis=1)


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    """An empty laboratory."""
    made = Laboratory(tmp_path)
    made.videos.mkdir()
    made.annotations.mkdir()
    return made


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Find real data in a folder `shared` beside the repository; the test is skipped where it is absent."""

    def find(name: str) -> Path:
        path = Path(__file__).resolve().parents[1] / "../shared/data" / name
        if not path.exists():
            pytest.skip(f"no real data at {path}")
        return path

    return find
