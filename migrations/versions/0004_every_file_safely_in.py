"""every file safely in

Revision: 0004; follows 0003; 2026-11-20.

What is there goes on as it was; what the new columns hold is read with the next rendering.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_import()
    _create_upload()
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("quarantine_reason", sa.String(length=200), server_default=sa.text("''"), nullable=False)
        )
        batch_op.add_column(sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("part_of_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("part", sa.String(length=8), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("told", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
        batch_op.add_column(sa.Column("said", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
        batch_op.add_column(sa.Column("is_bulk", sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("failure_may_pass", sa.Boolean(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("playback", sa.String(length=8), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("playback_failure", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("playback_attempts", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("playback_claimed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("duration_seconds", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("taken_offset_minutes", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("title", sa.String(length=300), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("keywords", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.add_column(sa.Column("rating", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("content_id", sa.String(length=64), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("sources", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
        batch_op.create_index(batch_op.f("ix_media_owner_id_content_id"), ["owner_id", "content_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_media_part_of_id"), ["part_of_id"], unique=False)
        batch_op.drop_index(batch_op.f("ix_media_state_id"))
        for column in ("state", "playback"):
            turns = [column, "owner_id", "is_bulk", "id"]
            batch_op.create_index(batch_op.f(f"ix_media_{'_'.join(turns)}"), turns, unique=False)
        for column in ("wanted_at", "claimed_at"):
            few = sa.text(f"{column} IS NOT NULL")
            name = batch_op.f(f"ix_media_{column}")
            batch_op.create_index(name, [column], unique=False, sqlite_where=few, postgresql_where=few)
        batch_op.create_foreign_key(
            batch_op.f("fk_media_part_of_id_media"), "media", ["part_of_id"], ["id"], ondelete="SET NULL"
        )


def _create_upload() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("album_id", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("guest_name", sa.String(length=100), server_default=sa.text("''"), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("said", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("media_id", sa.Integer(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("is_duplicate", sa.Boolean(), nullable=False),
        sa.Column("failure", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["album_id"], ["album.id"], name=op.f("fk_upload_album_id_album"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_upload_import_id_import_run"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_upload_media_id_media"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_upload_owner_id_user_account")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_upload_user_id_user_account")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_upload_visit_id_visit"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("public_id", name=op.f("uq_upload_public_id")),
    )
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_upload_album_id"), ["album_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_import_id"), ["import_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_media_id"), ["media_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_owner_id_finished_at"), ["owner_id", "finished_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_user_id"), ["user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_upload_visit_id"), ["visit_id"], unique=False)


def _create_import() -> None:
    _create_import_run()
    op.create_table(
        "import_refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_refusal_run_id_import_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_refusal")),
    )
    op.create_index(op.f("ix_import_refusal_run_id"), "import_refusal", ["run_id"], unique=False)
    _create_imported_thing(
        "imported_file",
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("media_id", sa.Integer(), nullable=False),
        sa.Column("album_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["album_id"], ["album.id"], name=op.f("fk_imported_file_album_id_album"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_imported_file_media_id_media"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_imported_file_media_id"), "imported_file", ["media_id"], unique=False)
    _create_imported_thing(
        "imported_folder",
        sa.Column("album_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["album_id"], ["album.id"], name=op.f("fk_imported_folder_album_id_album"), ondelete="CASCADE"
        ),
    )


def _create_import_run() -> None:
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("album_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("archive_key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("failure", sa.String(length=300), nullable=True),
        sa.Column("total_count", sa.Integer(), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=False),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("done_bytes", sa.BigInteger(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("already_here", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["album_id"], ["album.id"], name=op.f("fk_import_run_album_id_album"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_import_run_owner_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("archive_key", name=op.f("uq_import_run_archive_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_run_public_id")),
    )
    op.create_index(op.f("ix_import_run_album_id"), "import_run", ["album_id"], unique=False)
    op.create_index(op.f("ix_import_run_state"), "import_run", ["state"], unique=False)
    op.create_index(
        op.f("ix_import_run_owner_id_created_at_id"), "import_run", ["owner_id", "created_at", "id"], unique=False
    )


def _create_imported_thing(name: str, *more: sa.Column[Any] | sa.ForeignKeyConstraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("place_sha256", sa.String(length=64), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f(f"fk_{name}_owner_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_album_id"), name, ["album_id"], unique=False)
    op.create_index(f"uq_{name}_owner_id_place_sha256", name, ["owner_id", "place_sha256"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("upload", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_upload_visit_id"))
        batch_op.drop_index(batch_op.f("ix_upload_user_id"))
        batch_op.drop_index(batch_op.f("ix_upload_owner_id_finished_at"))
        batch_op.drop_index(batch_op.f("ix_upload_media_id"))
        batch_op.drop_index(batch_op.f("ix_upload_import_id"))
        batch_op.drop_index(batch_op.f("ix_upload_expires_at"))
        batch_op.drop_index(batch_op.f("ix_upload_album_id"))
    op.drop_table("upload")
    for name in ("imported_folder", "imported_file", "import_refusal", "import_run"):
        op.drop_table(name)
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_media_part_of_id_media"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_media_claimed_at"))
        batch_op.drop_index(batch_op.f("ix_media_wanted_at"))
        for column in ("playback", "state"):
            batch_op.drop_index(batch_op.f(f"ix_media_{column}_owner_id_is_bulk_id"))
        batch_op.create_index(batch_op.f("ix_media_state_id"), ["state", "id"], unique=False)
        batch_op.drop_index(batch_op.f("ix_media_part_of_id"))
        batch_op.drop_index(batch_op.f("ix_media_owner_id_content_id"))
        batch_op.drop_column("sources")
        batch_op.drop_column("content_id")
        batch_op.drop_column("rating")
        batch_op.drop_column("keywords")
        batch_op.drop_column("title")
        batch_op.drop_column("taken_offset_minutes")
        batch_op.drop_column("duration_seconds")
        batch_op.drop_column("playback_claimed_at")
        batch_op.drop_column("playback_attempts")
        batch_op.drop_column("playback_failure")
        batch_op.drop_column("playback")
        batch_op.drop_column("wanted_at")
        batch_op.drop_column("failure_may_pass")
        batch_op.drop_column("is_bulk")
        batch_op.drop_column("said")
        batch_op.drop_column("told")
        batch_op.drop_column("part")
        batch_op.drop_column("part_of_id")
        batch_op.drop_column("checked_at")
        batch_op.drop_column("quarantine_reason")
