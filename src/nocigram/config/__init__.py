"""The schema of a run: dataclasses whose field docstrings are the help of the flags. No torch here."""
