"""Accounts from the command line: for the first person, and for the day somebody is locked out. Floor 4."""

import sys

import click

from vault.cli.house import with_vault
from vault.models.account import Purpose, Scope
from vault.services import Refused, Vault, accounts, people, tokens


@click.command("create-user")
@click.argument("email")
@click.option("--name", default="", help="How others see them.")
@click.option("--admin", is_flag=True, help="May manage people and access.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input.")
@with_vault
def create_user(vault: Vault, email: str, name: str, admin: bool, password_stdin: bool) -> None:
    """Make an account; without a password, print its one-time invitation."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        person = accounts.create(vault, email=email, name=name, password=password, is_admin=admin)
        click.echo(f"{person.email} can sign in now.")
        return
    _, token = accounts.invite(vault, None, email=email, name=name, is_admin=admin)
    click.echo(f"{vault.settings.origin}/invite/{token}")


@click.command("reset-password")
@click.argument("email")
@with_vault
def reset_password(vault: Vault, email: str) -> None:
    """Print a one-time address at which EMAIL sets a new password."""
    purpose, token = accounts.offer_new_password(vault, None, people.named(email).id)
    click.echo(f"{vault.settings.origin}/{'invite' if purpose is Purpose.INVITATION else 'reset'}/{token}")


@click.command("create-token")
@click.argument("email")
@click.option("--name", required=True, help="What it is for.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(["read", "write", "admin"]), help="May be repeated."
)
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="Without it the token does not end.")
@with_vault
def create_token(_vault: Vault, email: str, name: str, scopes: tuple[str, ...], expires_in_days: int | None) -> None:
    """Print an API token, once; its scope is read unless said otherwise."""
    granted = Scope(0)
    for scope in scopes or ("read",):
        granted |= Scope[scope.upper()]
    person = people.named(email)
    if person.disabled_at is not None:
        raise Refused(f"the account of {person.email} is disabled; enable it first")
    made = tokens.create(person.id, name=name, scopes=granted, expires_in_days=expires_in_days, actor="command line")
    click.echo(made)
