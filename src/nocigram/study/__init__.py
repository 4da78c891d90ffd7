"""What needs several rooms together: evaluating a checkpoint, cross-validation, comparing approaches."""
