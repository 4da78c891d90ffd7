"""A dilated convolution along time to which padding is nothing; several temporal heads are made of it.

B batch, T frames, H width.
"""

from typing import final

from jaxtyping import Bool, Float
from torch import Tensor, nn

KERNEL_FRAMES = 3


@final
class MaskedConv(nn.Module):
    """Layer norm of each frame, then a dilated convolution that reads padding as zeros.

    It sees `dilation` frames on either side.
    """

    def __init__(self, width: int, *, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv = nn.Conv1d(width, width, KERNEL_FRAMES, padding=dilation, dilation=dilation)

    def forward(self, x: Float[Tensor, "B T H"], valid: Bool[Tensor, "B T"]) -> Float[Tensor, "B T H"]:
        """Convolve along T. A padded frame then reads like the zeros beyond the end of an unpadded window."""
        normed = self.norm(x).masked_fill(~valid.unsqueeze(-1), 0.0)
        convolved: Tensor = self.conv(normed.transpose(1, 2)).transpose(1, 2)
        return convolved
