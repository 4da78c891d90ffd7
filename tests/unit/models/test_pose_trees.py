"""Trees as data in a checkpoint, read by XGBoost with or without us."""

import sys

import pytest
import torch
from approach_inputs import build, grow, inputs

from nocigram.core.errors import InputError, MissingExtraError

xgboost = pytest.importorskip("xgboost")


@pytest.fixture
def grown():
    batch = inputs()
    return grow(build("pose_trees"), batch), batch


def test_trees_travel_in_a_file_that_runs_no_code(grown, tmp_path):
    model, batch = grown
    torch.save(model.state_dict(), tmp_path / "trees.pt")
    state = torch.load(tmp_path / "trees.pt", weights_only=True)
    again = build("pose_trees", seed=1)
    again.load_state_dict(state)

    assert {name: type(value) for name, value in state.items()} == {"_extra_state": str}
    assert torch.equal(again(**batch).action_logits, model(**batch).action_logits)


def test_xgboost_alone_reads_the_trees_and_says_the_same(grown, tmp_path):
    model, batch = grown
    path = tmp_path / "trees.json"
    path.write_text(model.state_dict()["_extra_state"], encoding="utf-8")
    rows = xgboost.DMatrix(model.features(**batch).flatten(0, 1).numpy())
    alone = torch.from_numpy(xgboost.Booster(model_file=path).predict(rows))

    torch.testing.assert_close(model(**batch).action_logits.softmax(-1).flatten(0, 1), alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="cut"),
        pytest.param(lambda text: text.replace('"trees"', '"twigs"'), id="a key renamed"),
        pytest.param(lambda text: "{}", id="empty"),
        pytest.param(lambda text: "hello", id="no JSON"),
    ],
)
def test_damaged_trees_are_an_input_error(grown, damage):
    state = {"_extra_state": damage(grown[0].state_dict()["_extra_state"])}

    with pytest.raises(
        InputError, match=r"^checkpoint: expected trees in XGBoost's JSON, got a damaged text \('"
    ) as got:
        build("pose_trees").load_state_dict(state)
    assert str(got.value).endswith("Train it again.")
    assert ".cc:" not in str(got.value)


def test_a_model_before_its_trees_are_grown_says_so_and_is_saved_as_such():
    model, batch = build("pose_trees"), inputs()

    with pytest.raises(ValueError, match="PoseTreesModel: expected grown trees, got none"):
        model(**batch)
    assert model.n_parameters == 0
    other = grow(build("pose_trees"), batch)
    other.load_state_dict(model.state_dict())
    assert other.n_parameters == 0


def test_parameters_of_trees_are_their_nodes(grown):
    nodes = grown[0]._booster.get_dump()

    assert grown[0].n_parameters == sum(len(tree.splitlines()) for tree in nodes)


def test_without_xgboost_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)

    with pytest.raises(MissingExtraError, match=r"--approach pose_trees: .*pip install 'nocigram\[trees\]'"):
        build("pose_trees")
