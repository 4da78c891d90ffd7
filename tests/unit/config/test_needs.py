"""What a model of an approach has to be given of a recording."""

import pytest

from nocigram.config.model import needs_of
from nocigram.core.needs import Needs


def said(needs: Needs) -> set[str]:
    return {name for name in Needs.__dataclass_fields__ if getattr(needs, name)}


@pytest.mark.parametrize(
    ("approach", "streams", "features", "expected"),
    [
        pytest.param("multitask", "pixels+pose", ("graph", "light"), {"pixels", "pose", "light"}, id="multitask"),
        pytest.param("multitask", "pixels", ("graph", "light", "kinematics"), {"pixels", "pose"}, id="its pixels"),
        pytest.param("multitask", "pose", ("graph", "light"), {"pose", "only_with_pose"}, id="its pose, without light"),
        pytest.param("video_only", "pixels+pose", ("graph", "light"), {"pixels"}, id="video_only opens no pose"),
        pytest.param(
            "multimodal", "pixels+pose", ("graph",), {"pixels", "pose", "only_with_pose"}, id="multimodal needs both"
        ),
        pytest.param(
            "pose_only", "pixels+pose", ("kinematics",), {"pose", "kinematics", "only_with_pose"}, id="pose_only"
        ),
        pytest.param(
            "pose_trees",
            "pixels",
            ("kinematics", "light"),
            {"pose", "kinematics", "light", "only_with_pose"},
            id="trees with light, whatever --streams says",
        ),
    ],
)
def test_an_approach_needs_what_its_groups_read_and_no_more(approach, streams, features, expected):
    needs = needs_of(approach, streams=streams, features=features)

    assert said(needs) == expected
    assert needs.video == needs.pixels
