"""A laboratory in which every command and snippet of the documentation can run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = """
simulate . --animals 3 --trials 2 --seed 1
simulate new --animals 1 --trials 2 --seed 2
train --annotations Annotations --videos Videos --streams pose --train_T 60 --hidden_dim 8 --tcn_layers 1 --epochs 1
train --annotations Annotations --videos Videos --approach pose_only --members 1 --hidden_dim 8 --epochs 1 \
  --test_animals 1M003 --out poses
predict best_model_multitask.pt new/Videos --out new/predictions
"""
RUN_ALL = """
import sys
from nocigram.cli.main import main
sys.exit(max(main(line.split()) for line in sys.argv[1].split("\\n") if line))
"""


@pytest.fixture(scope="session")
def documented_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study with a model, and new recordings with predictions, under the names of the documentation."""
    folder = tmp_path_factory.mktemp("documented")
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, COMMANDS], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    for path in (folder / "new/Videos").iterdir():
        shutil.copy(path, folder / "new" / f"mouse1{path.name.partition('_tracking')[2]}")
    _write_export(folder)
    (folder / "best_model_pose_only.pt").symlink_to(folder / "poses" / "best_model_pose_only.pt")
    (folder / "Annotations_b").symlink_to(folder / "Annotations")
    (folder / "study").symlink_to(folder)
    return folder


def _write_export(folder: Path) -> None:
    """Events of one recording as BORIS exports them, and the answer to what they are."""
    video = next((folder / "Videos").glob("*.mp4")).name
    header = "Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status"
    rows = [f"{time},{video},24,30,mouse,lick the paw,,,{status}" for time, status in ((1, "START"), (2, "STOP"))]
    (folder / "exported").mkdir()
    (folder / "exported/events.csv").write_text("\n".join((header, *rows)), encoding="utf-8")
    (folder / "actions_map.yaml").write_text("actions: {lick the paw: paw_lick}\n", encoding="utf-8")
