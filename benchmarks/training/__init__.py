"""From a built model to its best epoch: fit, losses, schedule, checkpoints."""
