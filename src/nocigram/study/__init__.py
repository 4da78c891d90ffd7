"""What needs several rooms together: evaluating a checkpoint on labelled recordings."""
