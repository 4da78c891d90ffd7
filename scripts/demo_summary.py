"""The last page of `make demo`: three macro F1 side by side, what they are of, and where everything lies.

python scripts/demo_summary.py demo
"""

import json
import sys
from pathlib import Path

import torch

from nocigram.data.array_cache import content_hash

MODELS = {"pixels alone": "pixels", "pose alone": "pose", "both (multi-task)": "."}
ENCODERS = {"embedded": "EfficientNet-Lite0 with ImageNet weights, embedded in the installation, frozen"}


def main(demo: Path) -> None:
    """Print the page."""
    scores = {
        name: json.loads((demo / folder / "evaluation/metrics.json").read_text()) for name, folder in MODELS.items()
    }
    model = torch.load(demo / "best_model_multitask.pt")
    new = {content_hash(video) for video in (demo / "new/Videos").glob("*.mp4")}
    if seen := new & {record["video_sha256"] for record in model["seen"]}:
        sys.exit(f"demo: expected new recordings that the model has not seen, got {len(seen)} that it has")
    both = scores["both (multi-task)"]
    animals = {record["animal"] for record in model["seen"]}
    print(f"\nScores on {both['n_animals']} simulated animals, {both['n_trials']} trials. No model has seen them,")
    print("neither to learn from nor to choose its best epoch. Same data and budget, other input:\n")
    print(f"  {'input':<20}macro F1   F1 of paw_withdraw")
    for name, each in scores.items():
        print(f"  {name:<20}{each['macro_f1']:>8.3f}{each['per_action']['paw_withdraw']['f1'] or 0:>21.3f}")
    encoder = model["args"]["encoder_name"]
    print(f"\n  encoder       {ENCODERS.get(encoder, encoder)}")
    print(f"  trained on    {len(animals)} other animals, {demo}/train")
    print(f"  model         {demo}/best_model_multitask.pt")
    print(f"  scores        {demo}/evaluation/metrics.json; figures beside it")
    print(f"  predictions   {demo}/predictions, one csv per recording")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
