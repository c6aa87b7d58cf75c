"""The JSON API. Floor 4."""

from flask import Flask


def init(app: Flask) -> None:
    """Register the API."""
