"""Who may do what to what, written out: the decision as people would say it, not as the rule computes it.

One row per viewer, one column per thing. A cell names the actions that are open, by the letters of LETTERS; "-" is
none.
"""

from vault.models.media import Album, Media
from vault.models.sharing import Link
from vault.policy import Action, Resource

LETTERS = {
    "v": Action.VIEW,
    "d": Action.DOWNLOAD,
    "a": Action.ADD,
    "c": Action.CAPTION,
    "r": Action.ARRANGE,
    "m": Action.MANAGE,
    "p": Action.PLACE,
    "t": Action.TRASH,
    "o": Action.RESTORE,
    "x": Action.DELETE,
    "e": Action.EXPLAIN,
    "k": Action.ACCEPT,
    "i": Action.VISIT,
    "w": Action.WITHDRAW,
}

# `owner` owns the album Summer and its pictures, but for `theirs` (the contributor's) and `ghosts` (a disabled one's).
# `below` lies in a sub-album that inherits, `apart` in one that does not, `loose` in none. `guest` is the contributor's
# picture in the album of a disabled owner.
MEDIA = """
             live    pending  trashed  quarantined  loose   theirs  below   apart   ghosts  guest
nobody       -       -        -        -            -       -       -       -       -       -
stranger     -       -        -        -            -       -       -       -       -       -
admin        -       -        -        -            -       -       -       -       -       -
viewer       v       v        -        -            -       v       v       -       -       -
downloader   vd      vd       -        -            -       vd      vd      -       -       -
contributor  vd      vd       -        -            -       vdcpte  vd      -       -       vdcpte
editor       vdc     vdc      -        -            -       vdc     vdc     -       -       -
manager      vdc     vdc      -        -            -       vdc     vdc     -       -       -
owner        vdcpte  vdcpte   o        -            vdcpte  vdc     vdcpte  vdcpte  -       -
ghost        -       -        -        -            -       -       -       -       -       -
later        v       v        -        -            -       v       v       -       -       -
expired      -       -        -        -            -       -       -       -       -       -
disabled     -       -        -        -            -       -       -       -       -       -
lost         -       -        -        -            -       -       -       -       -       -
reduced      vdc     vdc      -        -            -       vdc     vdc     -       -       -
twice        v       v        -        -            -       v       vdc     -       -       -
crossed      vdc     vdc      -        -            -       vdc     vdc     -       -       -
aside        -       -        -        -            -       -       -       vd      -       -
@shown       v       v        -        -            -       v       v       -       -       -
@taken       vd      vd       -        -            -       vd      vd      -       -       -
@manager     v       v        -        -            -       v       v       -       -       -
@below       -       -        -        -            -       -       v       -       -       -
@ended       -       -        -        -            -       -       -       -       -       -
@revoked     -       -        -        -            -       -       -       -       -       -
@rotated     -       -        -        -            -       -       -       -       -       -
@reduced     -       -        -        -            -       -       -       -       -       -
@lost        -       -        -        -            -       -       -       -       -       -
@disabled    -       -        -        -            -       -       -       -       -       -
@ghostly     -       -        -        -            -       -       -       -       -       -
"""

ALBUM = """
             summer   below    apart    private  ghostly
nobody       -        -        -        -        -
stranger     -        -        -        -        -
admin        -        -        -        -        -
viewer       v        v        -        -        -
downloader   vd       vd       -        -        -
contributor  vda      vda      -        -        -
editor       vdar     vdar     -        -        -
manager      vdarme   vdarme   -        -        -
owner        vdarmex  vdarmex  vdarmex  vdarmex  -
ghost        -        -        -        -        -
later        v        v        -        -        -
expired      -        -        -        -        -
disabled     -        -        -        -        -
lost         -        -        -        -        -
reduced      vdar     vdar     -        -        -
twice        v        vdar     -        -        -
crossed      vdar     vdar     -        -        -
aside        -        -        vd       -        -
@shown       v        v        -        -        -
@taken       vd       vd       -        -        -
@manager     v        v        -        -        -
@below       -        v        -        -        -
@ended       -        -        -        -        -
@revoked     -        -        -        -        -
@rotated     -        -        -        -        -
@reduced     -        -        -        -        -
@lost        -        -        -        -        -
@disabled    -        -        -        -        -
@ghostly     -        -        -        -        -
"""

# Whoever made a link may always see and end it; its terms are for those who manage the album.
LINK = """
             shown  manager  ended  revoked  reduced  lost  disabled  below  ghostly
nobody       -      -        -      -        -        -     -         -      -
stranger     -      -        -      -        -        -     -         -      -
admin        -      -        -      -        -        -     -         -      -
viewer       -      -        -      -        -        -     -         -      -
downloader   -      -        -      -        -        -     -         -      -
contributor  -      -        -      -        -        -     -         -      -
editor       -      -        -      -        -        -     -         -      -
manager      vmx    vmx      vmx    -        vmx      vmx   vmx       vmx    vx
owner        vmx    vmx      vmx    -        vmx      vmx   vmx       vmx    -
ghost        -      -        -      -        -        -     -         -      -
later        -      -        -      -        -        -     -         -      -
expired      -      -        -      -        -        -     -         -      -
disabled     -      -        -      -        -        -     -         -      -
lost         -      -        -      -        -        vx    -         -      -
reduced      -      -        -      -        vx       -     -         -      -
twice        -      -        -      -        -        -     -         -      -
crossed      -      -        -      -        -        -     -         -      -
aside        -      -        -      -        -        -     -         -      -
@shown       -      -        -      -        -        -     -         -      -
@taken       -      -        -      -        -        -     -         -      -
@manager     -      -        -      -        -        -     -         -      -
@below       -      -        -      -        -        -     -         -      -
@ended       -      -        -      -        -        -     -         -      -
@revoked     -      -        -      -        -        -     -         -      -
@rotated     -      -        -      -        -        -     -         -      -
@reduced     -      -        -      -        -        -     -         -      -
@lost        -      -        -      -        -        -     -         -      -
@disabled    -      -        -      -        -        -     -         -      -
@ghostly     -      -        -      -        -        -     -         -      -
"""

Cell = tuple[str, Resource, str, Action]
"""Viewer, kind of thing, thing, action."""


def open_cells() -> dict[Cell, bool]:
    """Return for every cell of the three tables whether it is open."""
    found: dict[Cell, bool] = {}
    tables: list[tuple[Resource, str]] = [(Media, MEDIA), (Album, ALBUM), (Link, LINK)]
    for what, table in tables:
        head, *rows = [line.split() for line in table.strip().splitlines()]
        for viewer, *cells in rows:
            for thing, cell in zip(head, cells, strict=True):
                assert set(cell) <= {"-", *LETTERS}
                found |= {(viewer, what, thing, action): letter in cell for letter, action in LETTERS.items()}
    return found
