"""Fills an empty vault with as many people, albums, pictures and links as are wanted, without bytes.

The database makes the rows itself, which a million of them need. Ids of rows count from one, so that who and what is
asked about can be computed; public ids are random, as in life, so that no index is in order.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from vault.db import db, transaction

DEEP = 10
IN_ALBUM = 10
OWNER, MEMBER = 1, 2
"""Who owns every second tree, and who is in the second group."""

SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < {count})",
    "postgresql": "WITH series AS (SELECT generate_series(0::bigint, {count} - 1) AS n)",
}
WORDS = {
    "sqlite": {
        "rid": "hex(randomblob(11))",
        "now": "'2026-01-01 00:00:00.000000'",
        "later": "'2126-01-01 00:00:00.000000'",
        "digest": "printf('%064d', n)",
        "yes": "1",
        "no": "0",
    },
    "postgresql": {
        "rid": "substr(md5(random()::text || n), 1, 22)",
        "now": "timestamptz '2026-01-01 00:00:00+00'",
        "later": "timestamptz '2126-01-01 00:00:00+00'",
        "digest": "lpad(n::text, 64, '0')",
        "yes": "true",
        "no": "false",
    },
}
# A tree is a chain of albums, ten deep. Every second one is the owner's, the others belong to the people in turn.
OF_TREE = "CASE WHEN {tree} % 2 = 0 THEN 1 ELSE 3 + {tree} % ({people} - 2) END"
OF_ALBUM = OF_TREE.replace("{tree}", "(n / 10)")
OF_LINK = OF_TREE.replace("{tree}", "(n % {albums} / 10)")
OF_PICTURE = OF_TREE.replace("{tree}", "(n / 100)")
ROWS = (
    (
        "people",
        "user_account (id, public_id, email, name, password_hash, is_admin, used_bytes, created_at)",
        "n + 1, {rid}, 'p' || n || '@example.org', 'Person', '', {no}, 0, {now}",
    ),
    ("groups", "person_group (id, public_id, name, created_at)", "n + 1, {rid}, 'Group', {now}"),
    ("people", "group_member (group_id, user_id, added_at)", "n % {groups} + 1, n + 1, {now}"),
    (
        "albums",
        "album (id, public_id, owner_id, parent_id, inherits, title, description, sort_order, media_count, created_at)",
        "n + 1, {rid}, " + OF_ALBUM + ", CASE WHEN n % 10 > 0 THEN n END, {yes}, 'Album', '', 'newest', 10, {now}",
    ),
    (
        "pictures",
        (
            "media (id, public_id, owner_id, sha256, size_bytes, media_type, file_name, blob_key, caption, uploaded_at,"
            " state, attempts, pipeline, rendition, width, height, shown_at, camera, lens)"
        ),
        "n + 1, {rid}, " + OF_PICTURE + ", {digest}, 1, 'image/jpeg', 'picture.jpg', 'bench/' || n, '', {now},"
        " 'ready', 0, 1, '', 3, 2, {now}, '', ''",
    ),
    ("pictures", "album_media (album_id, position, media_id, added_at)", "n / 10 + 1, n, n + 1, {now}"),
    (
        "trees",
        "album_grant (album_id, user_id, role, granted_by_id, created_at)",
        "n * 10 + 1, (n * 7 + 5) % {people} + 1, 10, 1, {now}",
    ),
    (
        "trees",
        "album_group_grant (album_id, group_id, role, granted_by_id, created_at)",
        "n * 10 + 1, n % {groups} + 1, 10, 1, {now}",
    ),
    (
        "links",
        "link (id, public_id, album_id, scope, creator_id, label, role, generation, created_at)",
        "n + 1, {rid}, n % {albums} + 1, CASE WHEN n % 10 = 3 THEN 'selection' ELSE 'tree' END, " + OF_LINK + ","
        " 'Link', 20, 1, {now}",
    ),
    ("links", "link_media (link_id, position, media_id)", "n + 1, 0, n % {albums} * 10 + 1"),
    (
        "links",
        (
            "visit (id, public_id, digest, link_id, generation, opened_at, last_seen_at, expires_at, address,"
            " user_agent, guest_name)"
        ),
        "n + 1, {rid}, {digest}, n + 1, 1, {now}, {now}, {later}, '', '', ''",
    ),
)


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    pictures: int
    albums: int
    people: int
    groups: int
    links: int

    @property
    def trees(self) -> int:
        """How many chains of albums there are."""
        return self.albums // DEEP


SMALL = Size(pictures=1_000, albums=100, people=100, groups=10, links=100)
LARGE = Size(pictures=1_000_000, albums=100_000, people=10_000, groups=1_000, links=100_000)


def fill(size: Size) -> None:
    """Make all rows, and let PostgreSQL count them, as it does by itself after a while."""
    with transaction() as session:
        dialect = session.get_bind().dialect.name
        known: dict[str, object] = {**vars(size), "trees": size.trees, **WORDS[dialect]}
        for count, table, values in ROWS:
            series = SERIES[dialect].format(count=known[count])
            session.execute(sa.text(f"INSERT INTO {table} {series} SELECT {values.format(**known)} FROM series"))
        session.execute(sa.text(REACH.format(series=SERIES[dialect].format(count=size.albums))))
    if dialect == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
    db.session.remove()


REACH = (
    "INSERT INTO album_reach (album_id, source_id, distance) {series} SELECT n + 1, n + 1 - d, d FROM series JOIN"
    " (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6"
    " UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) AS above ON d <= n % 10"
)


def of_owner(size: Size) -> range:
    """Return pictures of the owner, out of all his trees."""
    return range(1, size.pictures, max(200, size.pictures // 200 // 200 * 200))


def at_the_bottom(tree: int) -> range:
    """Return the pictures that lie ten deep in a tree."""
    first = (tree * DEEP + DEEP - 1) * IN_ALBUM + 1
    return range(first, first + IN_ALBUM)


def trees_of_member(size: Size) -> range:
    """Return the trees that were given to the member's group; he holds nothing else on them."""
    return range(MEMBER - 1, size.trees, size.groups)


def link_of_tree(tree: int) -> int:
    """Return the link to the top of a tree, and the visit by it: both have this id, and the digest of one less."""
    return tree * DEEP + 1
