"""One progress bar for every long step."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def progress_bar(title: str, *, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, silence elsewhere; gives the function that moves it on."""
    with tqdm(
        desc=title, total=total or None, unit=f" {unit}", disable=not sys.stderr.isatty() or total == 0, smoothing=0.05
    ) as bar:
        yield lambda n: bar.update(n) and None
