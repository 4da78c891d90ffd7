"""Words that every room shares: errors, faults, actions, frame ranges, bouts. Standard library and numpy only."""
