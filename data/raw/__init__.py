"""Raw recordings to shards: find them, take each through the steps, assemble."""
