"""Networks from pixels to one feature vector per frame, by name."""

from nocigram.models.backbones import torchvision_3d, videomae, vit_2d, vjepa2  # noqa: F401 - their import registers them
from nocigram.models.backbones.base import Backbone, BuiltBackbone
from nocigram.models.backbones.build import BACKBONES, build_backbone, register_backbone

__all__ = ["BACKBONES", "Backbone", "BuiltBackbone", "build_backbone", "register_backbone"]
