"""Factor models: one file each, one protocol."""
