"""sharing that people trust

Revision: 0003; follows 0002; 2026-11-20.

Links that are there go on as they were, but for one thing: where a picture was taken no longer leaves with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_groups()
    _create_visits()
    with op.batch_alter_table("album_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(length=500), server_default=sa.text("''"), nullable=False))

    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scope", sa.String(length=9), server_default="tree", nullable=False))
        batch_op.add_column(sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("password_hash", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("max_visits", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("visit_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("max_downloads", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("download_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("max_uploads", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("upload_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("needs_acceptance", sa.Boolean(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("metadata_rule", sa.String(length=8), server_default="location", nullable=False))
        batch_op.add_column(sa.Column("long_edge_px", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("watermark", sa.String(length=100), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("neutral_names", sa.Boolean(), server_default="1", nullable=False))
        batch_op.alter_column("album_id", existing_type=sa.INTEGER(), nullable=True)

    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.String(length=22), server_default=sa.text("''"), nullable=False))
        guest = sa.Column("guest_name", sa.String(length=100), server_default=sa.text("''"), nullable=False)
        batch_op.add_column(guest)
        written: sa.Column[bool] = sa.Column("caption_by_person", sa.Boolean(), server_default="0", nullable=False)
        batch_op.add_column(written)
        batch_op.add_column(sa.Column("awaiting_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("uq_media_owner_id_sha256"))
        batch_op.create_index(batch_op.f("ix_media_awaiting_since"), ["awaiting_since"], unique=False)
        batch_op.create_index("uq_media_owner_id_sha256_origin", ["owner_id", "sha256", "origin"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index("uq_media_owner_id_sha256_origin")
        batch_op.drop_index(batch_op.f("ix_media_awaiting_since"))
        batch_op.create_index(batch_op.f("uq_media_owner_id_sha256"), ["owner_id", "sha256"], unique=1)
        batch_op.drop_column("awaiting_since")
        batch_op.drop_column("caption_by_person")
        batch_op.drop_column("guest_name")
        batch_op.drop_column("origin")

    # The links of before open albums, and nothing else.
    op.execute("DELETE FROM link WHERE album_id IS NULL")
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.alter_column("album_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("neutral_names")
        batch_op.drop_column("watermark")
        batch_op.drop_column("long_edge_px")
        batch_op.drop_column("metadata_rule")
        batch_op.drop_column("needs_acceptance")
        batch_op.drop_column("upload_count")
        batch_op.drop_column("max_uploads")
        batch_op.drop_column("download_count")
        batch_op.drop_column("max_downloads")
        batch_op.drop_column("visit_count")
        batch_op.drop_column("max_visits")
        batch_op.drop_column("password_hash")
        batch_op.drop_column("paused_at")
        batch_op.drop_column("starts_at")
        batch_op.drop_column("scope")

    with op.batch_alter_table("album_grant", schema=None) as batch_op:
        batch_op.drop_column("reason")
    _drop_tables()


def _create_groups() -> None:
    op.create_table(
        "link_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("makers", sa.String(length=14), nullable=False),
        sa.Column("longest_days", sa.Integer(), nullable=True),
        sa.Column("password_required", sa.Boolean(), nullable=False),
        sa.Column("originals_allowed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_policy")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_notice_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notice_public_id")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_user_id_dismissed_at"), ["user_id", "dismissed_at"], unique=False)

    op.create_table(
        "person_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_person_group_owner_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_group")),
        sa.UniqueConstraint("public_id", name=op.f("uq_person_group_public_id")),
    )
    with op.batch_alter_table("person_group", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_group_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "group_member",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["person_group.id"], name=op.f("fk_group_member_group_id_person_group"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_group_member_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_member")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("group_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_group_member_user_id_group_id"), ["user_id", "group_id"], unique=False)

    op.create_table(
        "person_sight",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("media_id", sa.Integer(), nullable=False),
        sa.Column("variant", sa.String(length=16), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_person_sight_media_id_media"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_person_sight_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "media_id", "variant", name=op.f("pk_person_sight")),
    )
    with op.batch_alter_table("person_sight", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_sight_media_id_last_at"), ["media_id", "last_at"], unique=False)

    op.create_table(
        "album_group_grant",
        sa.Column("album_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("granted_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["album_id"], ["album.id"], name=op.f("fk_album_group_grant_album_id_album"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["granted_by_id"], ["user_account.id"], name=op.f("fk_album_group_grant_granted_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["person_group.id"],
            name=op.f("fk_album_group_grant_group_id_person_group"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("album_id", "group_id", name=op.f("pk_album_group_grant")),
    )
    with op.batch_alter_table("album_group_grant", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_album_group_grant_group_id_album_id"), ["group_id", "album_id"], unique=False
        )


def _create_visits() -> None:
    op.create_table(
        "link_media",
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("media_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_link_media_link_id_link"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_link_media_media_id_media"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("link_id", "position", name=op.f("pk_link_media")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("link_media", schema=None) as batch_op:
        batch_op.create_index("uq_link_media_media_id_link_id", ["media_id", "link_id"], unique=True)

    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=22), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("guest_name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_visit_link_id_link"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("digest", name=op.f("uq_visit_digest")),
        sa.UniqueConstraint("public_id", name=op.f("uq_visit_public_id")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_link_id_opened_at"), ["link_id", "opened_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_opened_at"), ["opened_at"], unique=False)

    op.create_table(
        "visit_download",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("thing", sa.String(length=60), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("pieces", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_visit_download_visit_id_visit"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("visit_id", "thing", name=op.f("pk_visit_download")),
    )
    op.create_table(
        "visit_sight",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("media_id", sa.Integer(), nullable=False),
        sa.Column("variant", sa.String(length=16), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_visit_sight_media_id_media"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit.id"], name=op.f("fk_visit_sight_visit_id_visit"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("visit_id", "media_id", "variant", name=op.f("pk_visit_sight")),
    )
    with op.batch_alter_table("visit_sight", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_sight_media_id_last_at"), ["media_id", "last_at"], unique=False)


def _drop_tables() -> None:
    with op.batch_alter_table("visit_sight", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_sight_media_id_last_at"))

    op.drop_table("visit_sight")
    op.drop_table("visit_download")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_opened_at"))
        batch_op.drop_index(batch_op.f("ix_visit_link_id_opened_at"))

    op.drop_table("visit")
    with op.batch_alter_table("link_media", schema=None) as batch_op:
        batch_op.drop_index("uq_link_media_media_id_link_id")

    op.drop_table("link_media")
    with op.batch_alter_table("album_group_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_album_group_grant_group_id_album_id"))

    op.drop_table("album_group_grant")
    with op.batch_alter_table("person_sight", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_sight_media_id_last_at"))

    op.drop_table("person_sight")
    with op.batch_alter_table("group_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_group_member_user_id_group_id"))

    op.drop_table("group_member")
    with op.batch_alter_table("person_group", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_group_owner_id"))

    op.drop_table("person_group")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_user_id_dismissed_at"))

    op.drop_table("notice")
    op.drop_table("link_policy")
