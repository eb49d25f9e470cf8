"""Find out where bfloat16 is faster than float32."""

from __future__ import annotations

from collections.abc import Mapping

import torch

INSTRUCTIONS = ("avx512_bf16", "amx_bf16")
"""Instructions of x86 processors. Others are not known to be faster with bfloat16."""


def multiplies_bfloat16(device: torch.device) -> bool:
    """Say whether the device has instructions for it; without them it is ten times slower.

    Where PyTorch is too old to say what a processor has, the answer is no.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in INSTRUCTIONS)
