"""The loop that trains any stage: steps, checkpoints, resumption, several processes, reports."""
