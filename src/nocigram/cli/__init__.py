"""One command per file: `register` and `handle`; heavy imports inside `handle`."""
