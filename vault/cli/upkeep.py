"""Looking after what is stored. Floor 4."""

import json
import sys

import click

from vault.cli.house import with_vault
from vault.services import Vault, inspection


@click.command()
@click.option("--read-data", is_flag=True, help="Read every byte and compare it with its hash.")
@click.option("--fix", is_flag=True, help="Mend what can be made again; no original is ever touched.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@with_vault
def fsck(vault: Vault, read_data: bool, fix: bool, as_json: bool) -> None:
    """Check rows against bytes; exit status 0 only when everything agrees."""
    report = inspection.inspect(vault, read_data=read_data, fix=fix)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for line in (*report.problems, *report.mended):
            click.echo(line)
        found = (
            f"{report.originals} originals, {report.variants} variants, {report.blobs} blobs, {report.pending} pending"
        )
        click.echo(f"{found}: {'everything agrees' if report.holds else f'{len(report.problems)} problems'}")
    sys.exit(0 if report.holds else 1)
