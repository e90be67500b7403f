"""The steps that a raw recording goes through, a file each."""
