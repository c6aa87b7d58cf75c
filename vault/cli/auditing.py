"""Whether the remembered events are still the ones that were written. Floor 4."""

import json
import sys

import click

from vault.cli.house import with_vault
from vault.services import Vault, auditing


@click.group()
def audit() -> None:
    """Look after the chain of events."""


@audit.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@with_vault
def verify(_vault: Vault, as_json: bool) -> None:
    """Check every event against its seal; exit status 0 only when the chain holds."""
    verdict = auditing.verify()
    if as_json:
        click.echo(json.dumps(verdict.as_json(), indent=2))
    for finding in [] if as_json else verdict.findings:
        click.echo(str(finding), err=True)
    more = verdict.counts.total() - len(verdict.findings)
    if more and not as_json:
        click.echo(f"and {more} more", err=True)
    if not as_json:
        found = "the chain holds" if verdict.holds else f"{verdict.counts.total()} findings"
        click.echo(f"{verdict.events} events, {verdict.lines} heads: {found}")
    sys.exit(0 if verdict.holds else 1)
