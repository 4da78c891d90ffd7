"""What has to hold when inputs are bad or a process is killed, tried in numbers.

python -m robustness.corpus    folders with a fault each, and what every command makes of them
python -m robustness.kills     commands killed at random moments, run again, and compared with undisturbed ones

Not part of the tests: each takes minutes.
"""
