"""3D backbone: any video model of torchvision over clips that slide over the window.

N clips, L frames of a clip, P steps in time, H height, W width, D width of a feature vector.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any, final
from urllib.parse import urlparse

import torch
import torchvision
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import get_model, get_model_weights, list_models
from torchvision.models.video import S3D, MViT, SwinTransformer3d

from nocigram.core.errors import InputError
from nocigram.models.backbones.base import BackboneOptions, BuiltBackbone, Triple
from nocigram.models.backbones.build import register_backbone
from nocigram.models.backbones.clip_backbone import ClipBackbone
from nocigram.models.backbones.vit_2d import encoder_blocks
from nocigram.models.backbones.weights import load_strictly, read_weights

HEADS = ("head", "fc", "classifier")
"""Names of the classifier in the families."""


@final
class TorchvisionBackbone(ClipBackbone):
    """A video model of torchvision without its classifier; its grid is averaged in space only.

    Source: torchvision (S3D, MViT, Video Swin, R3D, MC3, R(2+1)D; the papers are named there).
    """

    def steps(self, clips: Float[Tensor, "N L 3 H W"]) -> Float[Tensor, "N P D"]:
        """Mean over the places of each step in time that the model leaves of a clip."""
        is_transformer = isinstance(self.encoder, MViT | SwinTransformer3d)
        # torch 2.14 on a CPU: a 3x1x1 convolution over two steps in time gives garbage as its gradient in bf16
        keeps_32_bits = clips.device.type == "cpu" and not is_transformer
        with torch.autocast("cpu", enabled=False) if keeps_32_bits else nullcontext():
            grid = _grid(self.encoder, clips.transpose(1, 2))
        return grid.mean(dim=(-2, -1)).transpose(1, 2)

    def blocks(self) -> list[nn.Module]:
        """Blocks or stages from first to last, what follows the last one included in it."""
        if isinstance(self.encoder, MViT | S3D | SwinTransformer3d):
            parts = self.encoder.blocks if isinstance(self.encoder, MViT) else self.encoder.features
            *first, last = [part for part in parts.children() if any(True for _ in part.parameters())]
            return [*first, nn.ModuleList([last, getattr(self.encoder, "norm", nn.Identity())])]
        return encoder_blocks(self.encoder)


def _grid(encoder: Any, clips: Tensor) -> Tensor:
    """Clips (N, 3, L, H, W) -> what the model has before it pools (N, D, P, H', W')."""
    if isinstance(encoder, S3D):
        return encoder.features(clips)
    if isinstance(encoder, SwinTransformer3d):
        tokens = encoder.norm(encoder.features(encoder.pos_drop(encoder.patch_embed(clips))))
        return tokens.permute(0, 4, 1, 2, 3)
    if isinstance(encoder, MViT):
        tokens = encoder.pos_encoding(encoder.conv_proj(clips).flatten(2).transpose(1, 2))
        sides = (encoder.pos_encoding.temporal_size, *encoder.pos_encoding.spatial_size)
        for block in encoder.blocks:
            tokens, sides = block(tokens, sides)
        patches = encoder.norm(tokens)[:, 1:]  # the first one is the class token
        return patches.transpose(1, 2).unflatten(2, sides)
    for part in (encoder.stem, encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4):
        clips = part(clips)
    return clips


@register_backbone(
    "torchvision_3d",
    summary="Any video model of torchvision over clips: s3d, mvit, swin3d, r3d, mc3, r2plus1d.",
    source="torchvision, https://github.com/pytorch/vision",
)
def build_torchvision(options: BackboneOptions) -> BuiltBackbone:
    """Build the 3D backbone with the weights that the options ask for. There is no fallback to 2D."""
    name = options.encoder_name
    if name not in (known := list_models(module=torchvision.models.video)):
        raise InputError(
            f"--encoder_name with --backbone_type torchvision_3d: expected one of {', '.join(known)}, got {name!r}. "
            "Correct its spelling."
        )
    feature_dim = _feature_dim(name, options)
    encoder = _with_weights(name, options.encoder_weights)
    transform = get_model_weights(name).DEFAULT.transforms()
    backbone = TorchvisionBackbone(
        encoder,
        feature_dim=feature_dim,
        mean=_triple(transform.mean),
        std=_triple(transform.std),
        options=options,
        keeps_batch_statistics=options.encoder_weights != "none",
    )
    return BuiltBackbone(
        backbone=backbone,
        backbone_type="torchvision_3d",
        encoder_name=name,
        description=f"[info] Using torchvision (3D) backbone: {name}",
    )


def _feature_dim(name: str, options: BackboneOptions) -> int:
    """Width of the features, found without computing anything.

    Raises:
        InputError: the model can't take clips of that size.
    """
    with torch.device("meta"):
        encoder = get_model(name, weights=None)
        clips = torch.empty(1, 3, options.clip_T, options.img_size, options.img_size)
    try:
        return int(_grid(encoder.eval(), clips).shape[1])
    except (RuntimeError, ValueError) as error:
        size = f"--img_size {options.img_size} with --clip_T {options.clip_T}"
        raise InputError(
            f"--encoder_name {name}: expected a size of clips that it takes, got {size}. "
            "Use --img_size 224 and --clip_T 16."
        ) from error


def _with_weights(name: str, weights: str) -> Any:
    """The model without its classifier, with torchvision's weights, a file's, or none."""
    encoder = get_model(name, weights=None)
    for head in HEADS:
        if hasattr(encoder, head):
            setattr(encoder, head, nn.Identity())
    if weights == "pretrained":
        load_strictly(encoder, _published(name), where=name, ignored=HEADS)
    elif weights != "none":
        load_strictly(encoder, read_weights(Path(weights)), where=weights, ignored=HEADS)
    return encoder


def _published(name: str) -> dict[str, Tensor]:
    """The weights of torchvision, from torch.hub's folder if an earlier run has fetched them.

    Raises:
        InputError: they can't be fetched.
    """
    published = get_model_weights(name).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(published.url).path).name
    if file.is_file():
        return read_weights(file)
    try:
        fetched: dict[str, Tensor] = published.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # no network; a download that is not what it should be
        raise InputError(
            f"--encoder_name {name}: expected its pretrained weights, got none ({str(error)[:200]}). "
            f"Use --encoder_weights FILE (fetch {published.url} where there is a network), "
            "or --encoder_weights none (random weights)."
        ) from error
    return fetched


def _triple(values: list[float]) -> Triple:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
