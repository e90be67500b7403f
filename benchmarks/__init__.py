"""Measurements: quality over whole held-out lists, speed on an idle machine. Nothing here is asserted in a test."""
