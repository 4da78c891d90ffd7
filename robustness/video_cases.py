"""Videos that are cut off, are none, lie elsewhere, or are there twice."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from nocigram.video.decode import decode
from nocigram.video.encode import VideoWriter
from robustness.cases import ALL_TRIALS, Case, Spoil, trials_of
from robustness.study import COMMANDS, TRIALS, Study

_SHARES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
_A = trials_of("a")


def _on_video(change: Callable[[Path], object]) -> Spoil:
    """Change the video of the first recording."""
    return lambda study: change(study.video("a"))


def _cut(n_bytes: int | None = None, *, share: float = 1.0) -> Callable[[Path], object]:
    """Cut a file off: so many bytes, from its end where negative, or a share of it."""

    def cut(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[:n_bytes] if n_bytes is not None else content[: int(share * len(content))])

    return cut


def _remuxed(path: Path, suffix: str, **options: str) -> Path:
    """The same packets in another container, in place of the file."""
    target = path.with_name(f"other{suffix}")
    with av.open(str(path)) as source, av.open(str(target), "w", options=options) as written:
        stream = written.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                written.mux(packet)
    path.unlink()
    return target.rename(path.with_suffix(suffix))


def _in(suffix: str, share: float = 1.0) -> Spoil:
    """The first video in another container, cut off; annotations name the file as it is called then."""

    def spoil(study: Study) -> None:
        path = study.video("a")
        made = _encoded(path, suffix=suffix, codec="mpeg4") if suffix == ".avi" else _remuxed(path, suffix)
        _cut(share=share)(made)
        _labels_named(study, suffix)

    return spoil


def _renamed(suffix: str) -> Spoil:
    """The first video and its labels with another ending; the bytes stay."""

    def rename(study: Study) -> None:
        study.video("a").rename(study.video("a").with_suffix(suffix))
        _labels_named(study, suffix)

    return rename


def _labels_named(study: Study, suffix: str) -> None:
    """Labels bear the name of the video, with its ending."""
    for trial in TRIALS:
        labels = study.annotation("a", trial)
        labels.rename(labels.with_name(labels.name.replace(".mp4_", f"{suffix}_")))


def _encoded(
    path: Path, *, n_frames: int | None = None, suffix: str = ".mp4", size_px: int = 96, **how: object
) -> Path:
    """The first frames, or all of them and the last one again and again, as another video in place of the file."""
    frames = [frame.pixels[0] for frame in decode(path, grey=True)]
    path.unlink()
    made = path.with_suffix(suffix)
    with VideoWriter(made, width_px=size_px, height_px=size_px, **how) as writer:
        for at in range(len(frames) if n_frames is None else n_frames):
            writer.write(frames[min(at, len(frames) - 1)][:size_px, :size_px])
    return made


def _overwritten(at: float, n_bytes: int, *, faststart: bool) -> Callable[[Path], object]:
    """Zeros in the midst of a video."""

    def overwrite(path: Path) -> None:
        if faststart:
            _remuxed(path, ".mp4", movflags="faststart")
        content = bytearray(path.read_bytes())
        start = int(at * len(content))
        content[start : start + n_bytes] = bytes(n_bytes)
        path.write_bytes(content)

    return overwrite


def _socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        before = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        bound.bind("s")
        os.chdir(before)
    (path.parent / "s").rename(path)


def _replaced(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Something else under the video's name."""

    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def _linked(study: Study) -> None:
    elsewhere = study.place / "elsewhere.bin"
    study.video("a").rename(elsewhere)
    study.video("a").symlink_to(elsewhere)


_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    + "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_CONTENTS = {
    "zero bytes": b"",
    "one byte": b"\0",
    "a sentence": b"This is the video of mouse 3, please see my other folder.\n",
    "a table": b"Frame,Action\n0,0\n1,0\n",
    "a web page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "a zip": b"PK\x03\x04" + bytes(200),
    "a picture": _PNG,
    "a subtitle": b"1\n00:00:00,000 --> 00:00:02,000\nmouse\n\n",
    "a playlist": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    "noise": np.random.default_rng(0).bytes(30_000),
    "a megabyte of zeros": bytes(1_000_000),
    "an mp4 of which only the first box is there": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41",
}


def _lost(name: str, spoil: Spoil, *says: str) -> Case:
    """The first recording can't be used at all; the others are."""
    return Case(kind="video", name=name, spoil=spoil, lost=_A, unpredicted=frozenset("a"), says=says)


def _gone(name: str, spoil: Spoil) -> Case:
    """Nobody would take it for a video."""
    says = (r"no video named .*\.mp4 in",)
    return Case(kind="video", name=name, spoil=spoil, lost=_A, gone=frozenset("a"), says=says)


_NO_VIDEO = r"_tracking\.mp4: expected a video, got .*\. (Play it|Copy it)"
_CUT_OFF = r"_tracking\.mp4: expected a file of at least \d+ bytes, as its index says, got \d+\. Copy it again"
CASES = [
    *(
        _lost(f"cut after {share:.0%}, its index at the end", _on_video(_cut(share=share)), _NO_VIDEO)
        for share in _SHARES
    ),
    *(_lost(f"cut after {n} bytes", _on_video(_cut(n)), _NO_VIDEO) for n in (1, 4, 8, 31, 100)),
    *(
        _lost(
            f"cut after {share:.0%}, its index at the start",
            _on_video(lambda path, share=share: _cut(share=share)(_remuxed(path, ".mp4", movflags="faststart"))),
            _CUT_OFF,
        )
        for share in (0.25, 0.5, 0.75, 0.9, 0.99)
    ),
    *(
        Case(kind="video", name=f"{suffix} cut after {share:.0%}", is_open=True, spoil=_in(suffix, share))
        for suffix in (".mkv", ".avi")
        for share in _SHARES
    ),
    *(
        Case(
            kind="video",
            name=f"{n} bytes of zeros at {at:.0%}" + (", its index at the start" if faststart else ""),
            is_open=True,
            spoil=_on_video(_overwritten(at, n, faststart=faststart)),
        )
        for at in (0.1, 0.4, 0.8)
        for n, faststart in ((64, False), (2000, True))
    ),
    *(
        _lost(f"{name} as video", _on_video(lambda path, content=content: path.write_bytes(content)), _NO_VIDEO)
        for name, content in _CONTENTS.items()
    ),
    _gone("removed", _on_video(Path.unlink)),
    _gone("a folder", _on_video(_replaced(Path.mkdir))),
    _gone("a pipe that nobody writes to", _on_video(_replaced(os.mkfifo))),
    _gone("a socket", _on_video(_socket)),
    _gone("a link to itself", _on_video(_replaced(lambda path: path.symlink_to(path)))),
    _gone("a link to nothing", _on_video(_replaced(lambda path: path.symlink_to("gone.mp4")))),
    _gone("an ending that no video has", _on_video(lambda path: path.rename(path.with_suffix(".mpx")))),
    Case(kind="video", name="a link to a video elsewhere", spoil=_linked),
    Case(
        kind="video",
        name="the same name with two endings",
        spoil=_on_video(lambda path: shutil.copy(path, path.with_suffix(".avi"))),
        refused=COMMANDS,
        lost=ALL_TRIALS,
        says=(r"expected (one video of this name|videos of different names), got",),
    ),
    Case(
        kind="video",
        name="the same video under another name, without labels",
        spoil=lambda study: shutil.copy(study.video("a"), study.video("a").with_name("copy.mp4")),
    ),
    Case(
        kind="video",
        name="a video without labels and pose",
        spoil=lambda study: _encoded(
            Path(shutil.copy(study.video("a"), study.video("a").with_name("z.mp4"))), n_frames=50
        ),
    ),
    Case(kind="video", name="an mp4 that is called avi", spoil=_renamed(".avi")),
    Case(kind="video", name="an ending in capitals", spoil=_renamed(".MP4")),
    Case(
        kind="video",
        name="other files among the videos",
        spoil=lambda study: [
            (study.folder / "Videos" / name).write_bytes(b"x")
            for name in ("Thumbs.db", ".DS_Store", "notes.txt", "._a.mp4")
        ],
    ),
    Case(
        kind="video",
        name="DeepLabCut's labelled video beside its own",
        spoil=lambda study: shutil.copy(study.video("a"), study.video("a").with_name("aDLC_resnet50_labeled.mp4")),
    ),
    *(
        Case(
            kind="video",
            name=f"{n} frames where 720 are labelled",
            spoil=_on_video(lambda path, n=n: _encoded(path, n_frames=n)),
            lost=frozenset(lost),
            changed=frozenset("a"),
            says=(rf"past the end of the video \({n} frames\)",),
        )
        for n, lost in ((1, ("a1", "a2")), (359, ("a1", "a2")), (360, ("a2",)), (719, ("a2",)))
    ),
    Case(
        kind="video",
        name="more frames than pose and labels",
        spoil=_on_video(lambda path: _encoded(path, n_frames=800)),
        changed=frozenset("a"),
    ),
    Case(
        kind="video",
        name="another frame rate",
        spoil=_on_video(lambda path: _encoded(path, fps=240.0)),
        changed=frozenset("a"),
    ),
    Case(
        kind="video",
        name="a smaller picture",
        spoil=_on_video(lambda path: _encoded(path, size_px=64)),
        changed=frozenset("a"),
    ),
]
