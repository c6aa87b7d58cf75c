"""A private media vault. This file holds the version and nothing else."""

__version__ = "0.3.0"
