"""Tensors in a file, whole or not at all."""

import io
from pathlib import Path

import torch

from nocigram.core.files import written_whole


def write_tensors(path: Path, content: object) -> None:
    """`torch.save`, through memory: written straight to a full disk it raises a `RuntimeError` that names no cause.

    Raises:
        OSError: of the operating system, with the path.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with written_whole(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())
