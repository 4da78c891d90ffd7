"""3D backbone: VideoMAE over clips that slide over the window.

B batch, T frames, N clips, L frames of a clip, C channels, H height, W width, D width of a feature vector,
S places of a clip's grid of tokens.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import torch
from huggingface_hub import try_to_load_from_cache
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import interpolate

from nocigram.core.errors import Fault, InputError, MissingExtraError, raise_faults
from nocigram.models.backbones.base import Backbone, BackboneOptions, BuiltBackbone, Frames, Triple
from nocigram.models.backbones.build import register_backbone
from nocigram.models.backbones.clips import clip_frames_index, frames_from_clips
from nocigram.models.backbones.vit_2d import build_frame_backbone
from nocigram.models.backbones.weights import HUB_ERRORS, WEIGHT_FILES, cached_weights, hub_answers, read_weights

DEFAULT_ENCODER = "MCG-NJU/videomae-base"
FALLBACK_ENCODER = "vit_small_patch14_dinov2.lvd142m"
"""2D encoder of a fallback from a 3D name, which names no 2D encoder."""
FALLBACK_WARNING = "[warn] VideoMAE2 not available, falling back to 2D path"
DESCRIPTION = "[info] Using VideoMAE2 (3D) backbone"
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)

_SIZES = {
    "small": {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 1536},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
    "huge": {"hidden_size": 1280, "num_hidden_layers": 32, "num_attention_heads": 16, "intermediate_size": 5120},
}
"""Sizes by the word in an encoder's name (Tong et al. 2022, appendix); patches are 16 px wide and 2 frames long."""
_CONFIG_KEYS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "patch_size",
    "tubelet_size",
    "num_frames",
    "image_size",
    "qkv_bias",
    "layer_norm_eps",
    "use_mean_pooling",
    "hidden_act",
)


@final
class ClipBackbone(Backbone):
    """VideoMAE over overlapping clips of the window.

    Tokens are pooled in space only; a tubelet's feature is given to each of its frames, and a frame's features are
    averaged over the clips that it is in, so that features change from frame to frame.

    Source: Tong et al. 2022 (VideoMAE), transformers' implementation.
    """

    per_frame = False

    def __init__(
        self,
        encoder: Any,
        *,
        clip_frames: int,
        clip_stride: int,
        chunk_frames: int,
        gradient_checkpointing: bool,
    ) -> None:
        super().__init__(
            feature_dim=encoder.config.hidden_size,
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            chunk_frames=chunk_frames,
            gradient_checkpointing=gradient_checkpointing,
            keeps_batch_statistics=False,
        )
        self.encoder = encoder
        self.clip_frames = clip_frames
        self.clip_stride = clip_stride
        self.tubelet_frames = int(encoder.config.tubelet_size)
        self.context_frames = clip_frames - 1

    def forward(self, frames: Frames, *, n_frames: Int[Tensor, " B"] | None = None) -> Float[Tensor, "B T D"]:
        """Features of each frame. Clips are laid over each window's own frames; padding gets zeros."""
        lengths = [frames.shape[1]] * len(frames) if n_frames is None else [max(1, n) for n in n_frames.tolist()]
        index = [clip_frames_index(n, clip_frames=self.clip_frames, stride=self.clip_stride) for n in lengths]
        window = torch.repeat_interleave(torch.arange(len(frames)), torch.tensor([len(clips) for clips in index]))
        window, place = window.to(frames.device), torch.cat(index).to(frames.device)
        n_clips = max(1, self.chunk_frames // self.clip_frames)
        chunks = [
            self.run_chunk(self._encoded, frames[of_window[:, None], of_frame])
            for of_window, of_frame in zip(torch.split(window, n_clips), torch.split(place, n_clips), strict=True)
        ]
        of_windows = torch.split(torch.cat(chunks), [len(clips) for clips in index])
        features = [
            frames_from_clips(clips, n_frames=n, stride=self.clip_stride)
            for clips, n in zip(of_windows, lengths, strict=True)
        ]
        n_frames_max = frames.shape[1]
        return torch.stack([nn.functional.pad(rows, (0, 0, 0, n_frames_max - len(rows))) for rows in features])

    def blocks(self) -> list[nn.Module]:
        """The transformer's layers; a final norm is part of the last one."""
        *first, last = self.encoder.encoder.layer
        norm = self.encoder.layernorm
        return [*first, nn.ModuleList([last] if norm is None else [last, norm])]

    def _encoded(self, clips: Tensor) -> Tensor:
        """Clips (N, L, C, H, W) -> features of their frames (N, L, D)."""
        tokens: Tensor = self.encoder(self.normalised(clips)).last_hidden_state
        n_tubelets = self.clip_frames // self.tubelet_frames
        per_tubelet = torch.unflatten(tokens, 1, (n_tubelets, -1)).mean(2)
        return per_tubelet.repeat_interleave(self.tubelet_frames, dim=1)


def resampled_positions(
    table: Float[Tensor, "1 S D"], *, grid: tuple[int, int, int], to_grid: tuple[int, int, int]
) -> Float[Tensor, "1 R D"]:
    """A table of position encodings for another number of tubelets, rows and columns, by trilinear interpolation.

    VideoMAE's fixed table counts tokens through; a table of another image size would mean other places than those
    that the weights were trained with.
    """
    if grid == to_grid:
        return table
    volume = table.reshape(1, *grid, -1).permute(0, 4, 1, 2, 3)
    resampled = interpolate(volume, size=to_grid, mode="trilinear", align_corners=False)
    return resampled.permute(0, 2, 3, 4, 1).flatten(1, 3)


@register_backbone(
    "videomae2_3d",
    summary="VideoMAE over clips of 16 frames; falls back to vit_2d where its weights can't be had.",
    source="Tong et al. 2022, Wang et al. 2023; transformers",
)
def build_clip_backbone(options: BackboneOptions) -> BuiltBackbone:
    """Build the 3D backbone, or the documented fallback to 2D."""
    name = options.encoder_name if "videomae" in options.encoder_name.lower() else DEFAULT_ENCODER
    try:
        encoder, config = _encoder(name, options)
    except (UnavailableError, MissingExtraError):
        if options.strict or options.encoder_weights not in {"pretrained", "none"}:
            raise
        options.warn(FALLBACK_WARNING)
        return _fallback(options)
    backbone = ClipBackbone(
        encoder,
        clip_frames=options.clip_T,
        clip_stride=options.clip_stride or max(1, options.clip_T // 2),
        chunk_frames=options.chunk_frames,
        gradient_checkpointing=options.gradient_checkpointing,
    )
    return BuiltBackbone(
        backbone=backbone,
        backbone_type="videomae2_3d",
        encoder_name=name,
        description=DESCRIPTION,
        encoder_config=config,
    )


class UnavailableError(InputError):
    """The 3D encoder's weights can't be had."""


def _encoder(name: str, options: BackboneOptions) -> tuple[Any, dict[str, Any]]:
    """The VideoMAE encoder for the options' image size and clip length, and the sizes that its weights came with.

    Raises:
        MissingExtraError: transformers is not installed.
        UnavailableError: pretrained weights can't be had.
        InputError: sizes that don't fit, or a file or folder that doesn't.
    """
    try:
        from transformers import VideoMAEConfig
    except ImportError as error:
        raise MissingExtraError("--backbone_type videomae2_3d", package="transformers", extra="videomae") from error
    weights = options.encoder_weights
    if options.encoder_config is not None:
        native = VideoMAEConfig(**options.encoder_config)
    elif weights == "pretrained":
        native = _hub_config(name)
    elif Path(weights).is_dir():
        native = _folder_config(Path(weights))
    else:
        native = VideoMAEConfig(**_sizes_by_name(name))
    _check_sizes(native, name, options)
    config = {key: value for key in _CONFIG_KEYS if (value := getattr(native, key, None)) is not None}
    encoder = _loaded(name, weights, VideoMAEConfig(**config | _given_sizes(options)))
    native_grid, grid = _grid(native), _grid(encoder.config)
    if native_grid != grid:
        from transformers.models.videomae.modeling_videomae import get_sinusoid_encoding_table

        table: Tensor = get_sinusoid_encoding_table(math.prod(native_grid), native.hidden_size)  # type: ignore[no-untyped-call]
        encoder.embeddings.position_embeddings = resampled_positions(table, grid=native_grid, to_grid=grid)
    return encoder, config


def _loaded(name: str, weights: str, config: Any) -> Any:
    """A VideoMAE encoder with random weights, or those of the hub, a folder or a file."""
    from transformers import VideoMAEModel

    if weights == "none":
        return VideoMAEModel(config)
    if weights == "pretrained":
        try:
            return VideoMAEModel.from_pretrained(name, config=config, local_files_only=_is_cached(name))
        except HUB_ERRORS as error:
            raise UnavailableError(_no_weights(name, _first_line(error))) from error
    if Path(weights).is_dir():
        return VideoMAEModel.from_pretrained(weights, config=config)
    tensors = read_weights(Path(weights))
    loader: Any = VideoMAEModel.from_pretrained  # its annotation forgets the loading info
    encoder, found = loader(None, config=config, state_dict=tensors, output_loading_info=True)
    if missing := sorted(found["missing_keys"]):
        raise InputError(
            f"{weights}: expected the weights of {name}, got {len(missing)} missing: {', '.join(missing[:8])}. "
            "Check --encoder_name."
        )
    return encoder


def _hub_config(name: str) -> Any:
    """The configuration of a hub model, from the cache if an earlier run has fetched it."""
    from transformers import VideoMAEConfig

    is_cached = _is_cached(name)
    if not is_cached and not hub_answers():
        raise UnavailableError(_no_weights(name, "no connection to the hub"))
    try:
        return VideoMAEConfig.from_pretrained(name, local_files_only=is_cached)
    except HUB_ERRORS as error:
        raise UnavailableError(_no_weights(name, _first_line(error))) from error


def _folder_config(folder: Path) -> Any:
    """The configuration of a local folder that transformers can load."""
    from transformers import VideoMAEConfig

    if not all(any((folder / name).is_file() for name in names) for names in (("config.json",), WEIGHT_FILES)):
        raise InputError(
            f"--encoder_weights: expected a folder with config.json and {WEIGHT_FILES[0]}, got {folder}. "
            "Save it with model.save_pretrained(FOLDER)."
        )
    return VideoMAEConfig.from_pretrained(folder)


def _is_cached(name: str) -> bool:
    """Whether an earlier run has fetched the model; then the hub is not asked, whose client retries when offline."""
    return isinstance(try_to_load_from_cache(name, "config.json"), str) and cached_weights(name) is not None


def _sizes_by_name(name: str) -> dict[str, Any]:
    """Sizes of a named encoder without asking the hub."""
    size = next((size for size in _SIZES if size in name.lower()), None)
    if size is None:
        raise InputError(
            f"--encoder_name: expected a VideoMAE name with one of {', '.join(_SIZES)} in it, got {name!r}. "
            f"Use {DEFAULT_ENCODER}."
        )
    return _SIZES[size]


def _given_sizes(options: BackboneOptions) -> dict[str, int]:
    return {"image_size": options.img_size, "num_frames": options.clip_T}


def _grid(config: Any) -> tuple[int, int, int]:
    """Tubelets, rows and columns of a clip's tokens."""
    side = config.image_size // config.patch_size
    return config.num_frames // config.tubelet_size, side, side


def _check_sizes(config: Any, name: str, options: BackboneOptions) -> None:
    """Image sides and clip lengths that the encoder's tubelets don't divide."""
    sizes = {"--img_size": (options.img_size, config.patch_size), "--clip_T": (options.clip_T, config.tubelet_size)}
    raise_faults(
        [
            Fault(
                where=flag,
                expected=f"a multiple of {step} for {name}",
                got=str(size),
                fix=f"Use {flag} {max(step, round(size / step) * step)}.",
            )
            for flag, (size, step) in sizes.items()
            if size % step
        ]
    )


def _fallback(options: BackboneOptions) -> BuiltBackbone:
    """The 2D backbone in place of the 3D one, marked as such."""
    is_3d_name = "videomae" in options.encoder_name.lower()
    name = FALLBACK_ENCODER if is_3d_name else options.encoder_name
    built = build_frame_backbone(replace(options, encoder_name=name))
    return replace(built, is_fallback=True)


def _no_weights(name: str, reason: str) -> str:
    return (
        f"--backbone_type videomae2_3d: expected the weights of {name}, got none ({reason}). "
        "Use --encoder_weights FOLDER (with config.json and model.safetensors), --encoder_weights none, "
        "or --backbone_type vit_2d."
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
