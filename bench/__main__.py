"""Runs every benchmark, or those that are named: `python -m bench requests growth`."""

import sys

from bench import growth, ingest, render, requests, variants, zips

BENCHES = {
    "requests": requests.run,
    "growth": growth.run,
    "variants": variants.run,
    "zips": zips.run,
    "ingest": ingest.run,
    "render": render.run,
}


def main(names: list[str]) -> None:
    """Print what each benchmark found."""
    for name in names or BENCHES:
        print(f"== {name}")
        BENCHES[name]()


main(sys.argv[1:])
