"""Shipped configurations, one folder a program; found through ``importlib.resources``."""
