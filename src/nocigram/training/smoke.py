"""The smoke test before the first epoch: one window through the model, shapes printed as in the guide."""

import torch
from torch.nn import functional

from nocigram.core.errors import InputError
from nocigram.data.batches import Batch
from nocigram.training.module import ActionModule


def smoke_test(module: ActionModule, batch: Batch, *, n_actions: int, device: torch.device) -> None:
    """Run one window and its loss.

    Args:
        batch: one window.
        device: where it runs; the module is moved there.

    Raises:
        InputError: the output or the loss is not finite.
    """
    print("[info] Running smoke test...")
    if batch.pixels is not None:
        n_frames, _, height, width = batch.pixels.shape[1:]
        print(f"  Video shape: {torch.Size([n_frames, 3, height, width])}")  # grey is shown to the backbone as RGB
    if batch.features is not None:
        print(f"  Features shape: {batch.features.shape[1:]}")
    actions = functional.one_hot(batch.actions[0] % (n_actions + 1), n_actions + 1)  # the last column is unscored
    print(f"  Actions shape: {actions.shape}")
    print(f"  Keypoints shape: {batch.xy_px[0].flatten(1).shape}")
    print(f"  Visibility shape: {batch.visible[0].shape}")
    print(f"  Action mask: {batch.action_mask.item()}")
    moved = module.transfer_batch_to_device(batch, device, 0)
    module.to(device).eval()
    with torch.no_grad():
        output = module.model(**moved.inputs())
        loss = module.loss(output, moved)["loss"]
    module.train()
    if not torch.isfinite(output.action_logits[moved.valid]).all() or not torch.isfinite(loss):
        raise InputError(
            "smoke test: expected finite predictions, got NaN or infinity. Check --encoder_weights and the pose files."
        )
    print("  ✓ Smoke test passed")
