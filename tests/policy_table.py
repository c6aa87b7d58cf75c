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
    "q": Action.RECOVER,
    "x": Action.DELETE,
    "e": Action.EXPLAIN,
    "k": Action.ACCEPT,
    "i": Action.VISIT,
    "w": Action.WITHDRAW,
}

# `owner` owns the album Summer and its pictures, but for `theirs` (the contributor's) and `ghosts` (a disabled one's).
# `below` lies in a sub-album that inherits, `apart` in one that does not, `loose` and `gone` in none. `guest` is the
# contributor's picture in the album of a disabled owner, `private` one of somebody disabled. Guests brought `awaiting`,
# which nobody has accepted yet, and `welcome`.
#
# @ is whoever would come by a link, + a visitor who is or was inside. `picked` are live, trashed, gone and awaiting,
# out of Summer; `pocket` are loose, apart, trashed and awaiting, out of no album. `over` and `late` have left, `former`
# came by an address that is no more; `stale` and `astray` are forged: a former visit with the present address, and a
# visit of another link. +drop brought `awaiting`, +open `welcome`, +beside nothing.
MEDIA = """
            live   pending trashed quarantined loose  theirs below  apart  ghosts guest  gone   awaiting welcome private
nobody      -      -       -       -           -      -      -      -      -      -      -      -        -       -
owner       vdcpte vdcpte  o       tq          vdcpte vdc    vdcpte vdcpte -      -      vdcpte vdcptek  vdcpte  -
ghost       -      -       -       -           -      -      -      -      -      -      -      -        -       -
stranger    -      -       -       -           -      -      -      -      -      -      -      -        -       -
viewer      v      v       -       -           -      v      v      -      -      -      -      -        v       -
downloader  vd     vd      -       -           -      vd     vd     -      -      -      -      -        vd      -
contributor vd     vd      -       -           -      vdcpte vd     -      -      vdcpte -      -        vd      -
editor      vdc    vdc     -       -           -      vdc    vdc    -      -      -      -      -        vdc     -
manager     vdc    vdc     -       -           -      vdc    vdc    -      -      -      -      vdck     vdc     -
expired     -      -       -       -           -      -      -      -      -      -      -      -        -       -
disabled    -      -       -       -           -      -      -      -      -      -      -      -        -       -
lost        -      -       -       -           -      -      -      -      -      -      -      -        -       -
reduced     vdc    vdc     -       -           -      vdc    vdc    -      -      -      -      -        vdc     -
singer      vd     vd      -       -           -      vd     vd     -      -      -      -      -        vd      -
left        -      -       -       -           -      -      -      -      -      -      -      -        -       -
muted       -      -       -       -           -      -      -      -      -      -      -      -        -       -
evening     -      -       -       -           -      -      -      -      -      -      -      -        -       -
both        v      v       -       -           -      v      vdc    -      -      -      -      -        v       -
steward     vdc    vdc     -       -           -      vdc    vdc    -      -      -      -      vdck     vdc     -
stepped     -      -       -       -           -      -      -      -      -      -      -      -        -       -
later       v      v       -       -           -      v      v      -      -      -      -      -        v       -
twice       v      v       -       -           -      v      vdc    -      -      -      -      -        v       -
crossed     vdc    vdc     -       -           -      vdc    vdc    -      -      -      -      -        vdc     -
aside       -      -       -       -           -      -      -      vd     -      -      -      -        -       -
admin       -      -       -       -           -      -      -      -      -      -      -      -        -       -
@shown      v      v       -       -           -      v      v      -      -      -      -      -        v       -
@taken      vd     vd      -       -           -      vd     vd     -      -      -      -      -        vd      -
@below      -      -       -       -           -      -      v      -      -      -      -      -        -       -
@flat       vd     vd      -       -           -      vd     -      -      -      -      -      -        vd      -
@picked     v      -       -       -           -      -      -      -      -      -      -      -        -       -
@pocket     -      -       -       -           v      -      -      v      -      -      -      -        -       -
@shut       -      -       -       -           -      -      -      -      -      -      -      -        -       -
@open       vd     vd      -       -           -      vd     vd     -      -      -      -      -        vd      -
@drop       -      -       -       -           -      -      -      -      -      -      -      -        -       -
@ended      -      -       -       -           -      -      -      -      -      -      -      -        -       -
@waiting    -      -       -       -           -      -      -      -      -      -      -      -        -       -
@ghostly    -      -       -       -           -      -      -      -      -      -      -      -        -       -
@paused     -      -       -       -           -      -      -      -      -      -      -      -        -       -
@revoked    -      -       -       -           -      -      -      -      -      -      -      -        -       -
@rotated    -      -       -       -           -      -      -      -      -      -      -      -        -       -
@manager    v      v       -       -           -      v      v      -      -      -      -      -        v       -
@reduced    -      -       -       -           -      -      -      -      -      -      -      -        -       -
@lost       -      -       -       -           -      -      -      -      -      -      -      -        -       -
@disabled   -      -       -       -           -      -      -      -      -      -      -      -        -       -
@steward    v      v       -       -           -      v      v      -      -      -      -      -        v       -
@stepped    -      -       -       -           -      -      -      -      -      -      -      -        -       -
+former     -      -       -       -           -      -      -      -      -      -      -      -        -       -
+shown      v      v       -       -           -      v      v      -      -      -      -      -        v       -
+over       -      -       -       -           -      -      -      -      -      -      -      -        -       -
+late       -      -       -       -           -      -      -      -      -      -      -      -        -       -
+drop       -      -       -       -           -      -      -      -      -      -      -      w        -       -
+open       vd     vd      -       -           -      vd     vd     -      -      -      -      -        vdw     -
+beside     vd     vd      -       -           -      vd     vd     -      -      -      -      -        vd      -
+stale      -      -       -       -           -      -      -      -      -      -      -      -        -       -
+astray     -      -       -       -           -      -      -      -      -      -      -      -        -       -
"""

ALBUM = """
             summer   below    apart    private  ghostly
nobody       -        -        -        -        -
owner        vdarmex  vdarmex  vdarmex  vdarmex  -
ghost        -        -        -        -        -
stranger     -        -        -        -        -
viewer       v        v        -        -        -
downloader   vd       vd       -        -        -
contributor  vda      vda      -        -        -
editor       vdar     vdar     -        -        -
manager      vdarme   vdarme   -        -        -
expired      -        -        -        -        -
disabled     -        -        -        -        -
lost         -        -        -        -        -
reduced      vdar     vdar     -        -        -
singer       vd       vd       -        -        -
left         -        -        -        -        -
muted        -        -        -        -        -
evening      -        -        -        -        -
both         v        vdar     -        -        -
steward      vdarme   vdarme   -        -        -
stepped      -        -        -        -        -
later        v        v        -        -        -
twice        v        vdar     -        -        -
crossed      vdar     vdar     -        -        -
aside        -        -        vd       -        -
admin        -        -        -        -        -
@shown       v        v        -        -        -
@taken       vd       vd       -        -        -
@below       -        v        -        -        -
@flat        vd       -        -        -        -
@picked      -        -        -        -        -
@pocket      -        -        -        -        -
@shut        -        -        -        -        -
@open        vda      vd       -        -        -
@drop        a        -        -        -        -
@ended       -        -        -        -        -
@waiting     -        -        -        -        -
@ghostly     -        -        -        -        -
@paused      -        -        -        -        -
@revoked     -        -        -        -        -
@rotated     -        -        -        -        -
@manager     v        v        -        -        -
@reduced     -        -        -        -        -
@lost        -        -        -        -        -
@disabled    -        -        -        -        -
@steward     v        v        -        -        -
@stepped     -        -        -        -        -
+former      -        -        -        -        -
+shown       v        v        -        -        -
+over        -        -        -        -        -
+late        -        -        -        -        -
+drop        a        -        -        -        -
+open        vda      vd       -        -        -
+beside      vda      vd       -        -        -
+stale       -        -        -        -        -
+astray      -        -        -        -        -
"""

# Whoever made a link may always see and end it; its terms are for those who manage the album, and without one are his.
LINK = """
             shown  picked  pocket  shut  ghostly  manager  reduced  lost  disabled  steward  stepped  revoked
nobody       -      -       -       -     -        -        -        -     -         -        -        -
owner        vmx    vmx     vmx     -     -        vmx      vmx      vmx   vmx       vmx      vmx      -
ghost        -      -       -       -     -        -        -        -     -         -        -        -
stranger     -      -       -       -     -        -        -        -     -         -        -        -
viewer       -      -       -       -     -        -        -        -     -         -        -        -
downloader   -      -       -       -     -        -        -        -     -         -        -        -
contributor  -      -       -       -     -        -        -        -     -         -        -        -
editor       -      -       -       -     -        -        -        -     -         -        -        -
manager      vmx    vmx     -       -     vx       vmx      vmx      vmx   vmx       vmx      vmx      -
expired      -      -       -       -     -        -        -        -     -         -        -        -
disabled     -      -       -       -     -        -        -        -     -         -        -        -
lost         -      -       -       -     -        -        -        vx    -         -        -        -
reduced      -      -       -       -     -        -        vx       -     -         -        -        -
singer       -      -       -       -     -        -        -        -     -         -        -        -
left         -      -       -       -     -        -        -        -     -         -        -        -
muted        -      -       -       -     -        -        -        -     -         -        -        -
evening      -      -       -       -     -        -        -        -     -         -        -        -
both         -      -       -       -     -        -        -        -     -         -        -        -
steward      vmx    vmx     -       -     -        vmx      vmx      vmx   vmx       vmx      vmx      -
stepped      -      -       -       -     -        -        -        -     -         -        vx       -
later        -      -       -       -     -        -        -        -     -         -        -        -
twice        -      -       -       -     -        -        -        -     -         -        -        -
crossed      -      -       -       -     -        -        -        -     -         -        -        -
aside        -      -       -       -     -        -        -        -     -         -        -        -
admin        -      -       -       -     -        -        -        -     -         -        -        -
"""

# To people these are as `shown` is.
LIKE_SHOWN = ("taken", "below", "flat", "open", "drop", "ended", "waiting", "paused", "rotated")

# What the holder of a link may do to that link; to all others nothing.
HOLDERS = """
@shown       shown      i
@taken       taken      id
@below       below      i
@flat        flat       id
@picked      picked     i
@pocket      pocket     i
@shut        -          -
@open        open       id
@drop        drop       i
@ended       -          -
@waiting     -          -
@ghostly     -          -
@paused      -          -
@revoked     -          -
@rotated     -          -
@manager     manager    i
@reduced     -          -
@lost        -          -
@disabled    -          -
@steward     steward    i
@stepped     -          -
+former      -          -
+shown       shown      i
+over        -          -
+late        -          -
+drop        drop       i
+open        open       id
+beside      open       id
+stale       -          -
+astray      -          -
"""

Cell = tuple[str, Resource, str, Action]
"""Viewer, kind of thing, thing, action."""


def open_cells() -> dict[Cell, bool]:
    """Return for every cell of the tables whether it is open."""
    found: dict[Cell, bool] = {}
    tables: list[tuple[Resource, str]] = [(Media, MEDIA), (Album, ALBUM), (Link, LINK)]
    for what, table in tables:
        head, *rows = [line.split() for line in table.strip().splitlines()]
        for viewer, *cells in rows:
            for thing, cell in zip(head, cells, strict=True):
                for each in (thing, *LIKE_SHOWN) if (what, thing) == (Link, "shown") else (thing,):
                    found |= _cells(viewer, what, each, cell)
    things = {thing for _, what, thing, _ in found if what is Link}
    for viewer, own, cell in (line.split() for line in HOLDERS.strip().splitlines()):
        for thing in things:
            found |= _cells(viewer, Link, thing, cell if thing == own else "-")
    return found


def _cells(viewer: str, what: Resource, thing: str, cell: str) -> dict[Cell, bool]:
    assert set(cell) <= {"-", *LETTERS}
    return {(viewer, what, thing, action): letter in cell for letter, action in LETTERS.items()}
