"""Contact sheets: what is drawn of a strip."""

import numpy as np
import pytest
from matplotlib.image import imread

from nocigram.core.errors import InputError
from nocigram.report.strips import Strip, Tile, draw_strip_page

XY = np.array([[2, 2], [12, 12], [np.nan, np.nan]], dtype=np.float32)
NAMES = ("mouth", "tail_base", "paw")
EDGES = ((0, 1), (1, 2))


def tile(picture, *, is_inside=True):
    return Tile(picture=picture, side_px=16, xy=XY, text="7", is_inside=is_inside)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.full((1, 16, 16), 9, np.uint8), id="a dark grey video"),
        pytest.param(np.full((3, 16, 16), 200, np.uint8), id="a colour video"),
        pytest.param(np.zeros((1, 16, 16), np.uint8), id="a black video"),
        pytest.param(None, id="keypoints alone"),
    ],
)
def test_a_page_has_a_strip_a_row_with_its_keypoints(picture, tmp_path):
    strips = [Strip(caption=f"{n}. here", tiles=[tile(picture, is_inside=False), tile(picture)]) for n in (1, 2)]
    draw_strip_page(strips, names=NAMES, edges=EDGES, path=tmp_path / "page.png")
    draw_strip_page(strips[:1], names=NAMES, edges=EDGES, path=tmp_path / "half.png")
    page, half = imread(tmp_path / "page.png"), imread(tmp_path / "half.png")

    assert page.shape[0] > 1.8 * half.shape[0]
    orange = np.abs(page[:, :, :3] - np.array([0xE6, 0x9F, 0x00]) / 255).sum(axis=-1) < 0.1
    assert orange.any(), "the ring of the first keypoint"


def test_a_dark_strip_is_brightened_and_its_pictures_alike(tmp_path):
    bright, dark = (np.full((1, 16, 16), level, np.uint8) for level in (40, 20))
    draw_strip_page(
        [Strip(caption="", tiles=[tile(bright), tile(dark)])], names=(), edges=(), path=tmp_path / "page.png"
    )
    page = imread(tmp_path / "page.png")
    height, width = page.shape[:2]
    row = page[height // 2, :, 0]

    assert row[width // 4] == pytest.approx(1.0, abs=0.02)
    assert row[width * 3 // 4] == pytest.approx(0.5, abs=0.02)


def test_another_format_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a name that ends in \.png, \.pdf or \.svg"):
        draw_strip_page([Strip(caption="", tiles=[tile(None)])], names=(), edges=(), path=tmp_path / "page.txt")
