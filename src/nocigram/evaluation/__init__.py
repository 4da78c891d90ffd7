"""Labels and predictions to scores: arrays in, numbers out."""
