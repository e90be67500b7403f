"""The steps that process a raw recording, one file for each step."""
