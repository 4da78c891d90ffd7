"""Ratios measured in one run. `python -m benchmarks.run` lists them.

Adding one: a function from `Setting` to `Measured` in a module here, named in `BENCHMARKS` of `run.py`.
"""
