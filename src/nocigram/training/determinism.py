"""Equal runs for equal seeds, as far as the device can."""

import os

import torch

_REFUSAL = "does not have a deterministic implementation"
"""In the error that torch raises of an operation that can't be made deterministic, behind the operation's name."""


def prefer_determinism() -> None:
    """Have torch take operations that give the same numbers every time, where there are such.

    Called before anything is computed, so that the first run of a process computes as the later ones do.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once, when cuBLAS is first used
    torch.use_deterministic_algorithms(True, warn_only=True)
    # a help to find reads of memory that nobody wrote; it costs a kernel for each new tensor, two fifths of a step's
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def is_refusal(error: RuntimeError) -> bool:
    """Torch was told to be deterministic and has no such way for an operation."""
    return _REFUSAL in str(error)


def refused(error: RuntimeError) -> str:
    """The operation that an error of this kind is about."""
    return str(error).partition(f" {_REFUSAL}")[0]
