"""Sizes of the networks that no setting changes, for PyTorch, NumPy and the weights' check."""

from __future__ import annotations

READOUT = 8
"""Feature maps that a linear read-out takes from a trunk."""

HIDDEN = 128
"""Hidden units of the perceptron that makes a modulation of a rule."""

PLANES, COARSE = 4, 7
"""Planes of the rule beside a modulation, and their side before they are brought to size."""

SCATTER = 8
"""Feature maps of a deformation's observation model."""

OBSERVATION = ((1, SCATTER, 7), (SCATTER, SCATTER, 5), (SCATTER, 1, 5))
"""Feature maps in, feature maps out, and side of the kernel of its convolutions."""
