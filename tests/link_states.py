"""What every state of a link answers on every path: literal statuses, one row per state and one column per path.

The one who asks is a visitor who was let in before his link came into this state, but where the state says otherwise:
`guessing` knows no more than the link's id, `newcomer` came with the address and has a ticket, but was not let in yet.
"""

PATHS = {
    "sub": ("GET", "/l/{link}/albums/{below}", {}),
    "page": ("GET", "/l/{link}/media/{media}", {}),
    "thumb": ("GET", "/l/{link}/media/{media}/thumb", {}),
    "prev": ("GET", "/l/{link}/media/{media}/preview", {}),
    "orig": ("GET", "/l/{link}/media/{media}/original", {}),
    "moti": ("GET", "/l/{link}/media/{media}/motion", {}),
    "mopa": ("GET", "/l/{link}/media/{media}/motion", {"Range": "bytes=0-0"}),
    "zip": ("GET", "/l/{link}/zip", {}),
    "Page": ("HEAD", "/l/{link}/media/{media}", {}),
    "Thum": ("HEAD", "/l/{link}/media/{media}/thumb", {}),
    "Orig": ("HEAD", "/l/{link}/media/{media}/original", {}),
    "part": ("GET", "/l/{link}/media/{media}/original", {"Range": "bytes=0-0"}),
    "ifth": ("GET", "/l/{link}/media/{media}/thumb", {"If-None-Match": "{thumb}"}),
    "ifor": ("GET", "/l/{link}/media/{media}/original", {"If-None-Match": "{original}"}),
    "Home": ("HEAD", "/l/{link}/", {}),
    "addr": ("GET", "{address}", {}),
    "bot": ("GET", "{address}", {"User-Agent": "facebookexternalhit/1.1"}),
    "json": ("GET", "/l/{link}/", {"Accept": "application/json"}),
    "home": ("GET", "/l/{link}/", {}),
}
"""Method, address and headers. A name in capitals is a HEAD, `if` a question whether something has changed.

All are asked with the same ticket, whatever an answer gives. The link's page stands last: it lets newcomers in.
"""

STATES = """
                    sub page thumb prev orig moti mopa zip Page Thum Orig part ifth ifor Home addr bot json home
fresh               200 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
guessing            403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 403  403
newcomer            403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 200  200
not yet started     403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
ended               403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
paused              403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
resumed             200 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
revoked             403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
rotated             403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
locked              403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 200  200
unlocked            200 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
password changed    403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 200  200
used up, newcomer   403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 403  403
used up, inside     200 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
visit is over       403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 200  200
downloads used up   200 200  200   200  403  200  206  403 200  200  403  403  304  403  200  303  200 200  200
begun, used up      200 200  200   200  200  200  206  403 200  200  200  206  304  304  200  303  200 200  200
creator disabled    403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
creator lost right  403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
group lost right    403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
moved from creator  403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
moved from link     403 403  403   403  403  403  403  200 403  403  403  403  403  403  200  303  200 200  200
moved to the link   200 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
picture taken out   200 403  403   403  403  403  403  200 403  403  403  403  403  403  200  303  200 200  200
picture in trash    200 403  403   403  403  403  403  200 403  403  403  403  403  403  200  303  200 200  200
picture of another  200 403  403   403  403  403  403  200 403  403  403  403  403  403  200  303  200 200  200
for viewers         200 200  200   200  403  200  206  403 200  200  403  403  304  403  200  303  200 200  200
album alone         403 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
selection           403 200  200   200  200  200  206  200 200  200  200  206  304  304  200  303  200 200  200
album deleted       403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  403  403 403  403
another's ticket    403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 403  403
same password       403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 200  200
one letter changed  403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 403  403
former generation   403 403  403   403  403  403  403  403 403  403  403  403  403  403  403  303  200 403  403
"""
# Where the page of the link answers, but only asks for the password.
ASKING = ("locked", "password changed", "same password")
# Where a password guards even the title from programs that draw previews.
GUARDED = (*ASKING, "unlocked", "another's ticket")


def rows() -> dict[str, dict[str, int]]:
    """Return for every state the status of every path."""
    head, *lines = STATES.strip("\n").splitlines()
    assert head.split() == list(PATHS)
    return {line[:19].strip(): dict(zip(PATHS, map(int, line[19:].split()), strict=True)) for line in lines}
