"""Sizes of the networks that no setting changes, for PyTorch, for NumPy and to check weights."""

from __future__ import annotations

READOUT = 8
"""Feature maps that a linear read-out takes from a trunk."""

HIDDEN = 128
"""Hidden units of the perceptron that computes a modulation from a rule."""

PLANES, COARSE = 4, 7
"""Planes that a rule gives beside a modulation, and their side before they are enlarged."""

SCATTER = 8
"""Feature maps of a deformation's observation model."""

OBSERVATION = ((1, SCATTER, 7), (SCATTER, SCATTER, 5), (SCATTER, 1, 5))
"""For each of its convolutions: feature maps in, feature maps out, and side of the kernel."""
