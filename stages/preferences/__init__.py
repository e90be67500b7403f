"""Preference tuning: pairs of better and worse codes of one text, and the training on them."""
