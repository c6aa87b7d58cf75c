#!/usr/bin/env python
"""The vault's commands; `python manage.py --help` lists them."""

from vault.app import create_app
from vault.cli import main
from vault.serve import serve

if __name__ == "__main__":
    main(create_app, serve)
