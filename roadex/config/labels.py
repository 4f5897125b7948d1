"""Numbers that labels, losses and scores share."""

from __future__ import annotations

# A pixel of a mask or connectivity map of which nothing is known: neither learnt nor scored.
IGNORE = 255
# What is learnt of roads with model.attributes, in the order of the model's channels.
ATTRIBUTE_NAMES = ("class", "surface", "lanes", "speed")
# What their labels are called begins so, in crops and in the terms of the loss.
ATTRIBUTE = "attribute_"
