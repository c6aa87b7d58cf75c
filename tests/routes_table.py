"""The approved list of addresses, and what each answers to whom.

One line per method and address, one column per asker. A cell is the status; `in` is the way to the sign-in. `!` marks a
deed that uses up what it acts on. In braces stand the things of tests/routes_world.py; everything is the owner's.
"""

WHO = (
    "nobody",
    "stranger",
    "viewer",
    "downloader",
    "contributor",
    "editor",
    "manager",
    "owner",
    "administrator",
    "visitor",
)

PAGES = """
                                                       nobo stra view down cont edit mana owne admi visi
GET    /                                               in   200  200  200  200  200  200  200  200  in
GET    /pictures                                       in   200  200  200  200  200  200  200  200  in
GET    /trash                                          in   200  200  200  200  200  200  200  200  in
POST   /trash/empty !                                  in   302  302  302  302  302  302  302  302  in
GET    /albums                                         in   200  200  200  200  200  200  200  200  in
GET    /albums/new                                     in   200  200  200  200  200  200  200  200  in
GET    /albums/new?parent={album}                      in   403  403  403  403  403  200  200  403  in
POST   /albums/new                                     in   302  302  302  302  302  302  302  302  in
POST   /albums/new?parent={album}                      in   403  403  403  403  403  302  302  403  in
GET    /albums/{album}                                 in   403  200  200  200  200  200  200  403  in
GET    /albums/{apart}                                 in   403  403  403  403  403  403  200  403  in
GET    /albums/{album}/zip                             in   403  403  200  200  200  200  200  403  in
GET    /albums/{apart}/zip?below=1                     in   403  403  403  403  403  403  200  403  in
GET    /albums/{album}/edit                            in   403  403  403  403  403  200  200  403  in
POST   /albums/{album}/edit                            in   403  403  403  403  403  302  302  403  in
GET    /albums/{album}/delete                          in   403  403  403  403  403  403  200  403  in
POST   /albums/{album}/delete !                        in   403  403  403  403  403  403  302  403  in
POST   /albums/{album}/media/{mine}/put !              in   403  403  403  302  302  302  302  403  in
POST   /albums/{album}/media/{loose}/put !             in   403  403  403  403  403  403  302  403  in
POST   /albums/{album}/media/{media}/take-out !        in   403  403  403  403  302  302  302  403  in
POST   /albums/{album}/media/{media}/cover             in   403  403  403  403  302  302  302  403  in
POST   /albums/{album}/media/{media}/move              in   403  403  403  403  302  302  302  403  in
GET    /albums/{album}/sharing                         in   403  403  403  403  403  200  200  403  in
POST   /albums/{album}/grants                          in   403  403  403  403  403  302  302  403  in
POST   /albums/{album}/grants/{guest}/revoke !         in   403  403  403  403  403  302  302  403  in
POST   /albums/{album}/leave !                         in   403  302  302  302  302  302  403  403  in
POST   /albums/{album}/links                           in   403  403  403  403  403  302  302  403  in
GET    /links                                          in   200  200  200  200  200  200  200  200  in
POST   /links/{link}/revoke !                          in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/rotate !                          in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/update                            in   403  403  403  403  403  302  302  403  in
GET    /media/{media}                                  in   403  200  200  200  200  200  200  403  in
GET    /media/{loose}                                  in   403  403  403  403  403  403  200  403  in
GET    /media/{binned}                                 in   403  403  403  403  403  403  403  403  in
GET    /media/{media}/thumb                            403  403  200  200  200  200  200  200  403  403
GET    /media/{media}/preview                          403  403  200  200  200  200  200  200  403  403
GET    /media/{media}/original                         403  403  403  200  200  200  200  200  403  403
GET    /media/{loose}/thumb                            403  403  403  403  403  403  403  200  403  403
GET    /media/{binned}/original                        403  403  403  403  403  403  403  403  403  403
GET    /media/{failed}/thumb                           403  403  404  404  404  404  404  404  403  403
POST   /media/{media}/edit                             in   403  403  403  403  302  302  302  403  in
POST   /media/{media}/trash !                          in   403  403  403  403  403  403  302  403  in
POST   /media/{binned}/restore !                       in   403  403  403  403  403  403  302  403  in
POST   /media/{binned}/purge !                         in   403  403  403  403  403  403  302  403  in
POST   /media/{failed}/retry !                         in   403  403  403  403  403  403  302  403  in
POST   /media/zip                                      in   422  422  422  422  422  422  422  422  in
GET    /upload                                         in   200  200  200  200  200  200  200  200  in
POST   /upload                                         in   302  302  302  302  302  302  302  302  in
"""

# What a link opens depends on the link alone.
VISITS = """
                                                       nobo stra view down cont edit mana owne admi visi
GET    /l/{shown}                                      200  200  200  200  200  200  200  200  200  200
GET    /l/{shown}/albums/{below}                       200  200  200  200  200  200  200  200  200  200
GET    /l/{shown}/albums/{apart}                       403  403  403  403  403  403  403  403  403  403
GET    /l/{shown}/media/{media}                        200  200  200  200  200  200  200  200  200  200
GET    /l/{shown}/media/{media}/thumb                  200  200  200  200  200  200  200  200  200  200
GET    /l/{shown}/media/{media}/preview                200  200  200  200  200  200  200  200  200  200
GET    /l/{shown}/media/{media}/original               403  403  403  403  403  403  403  403  403  403
GET    /l/{shown}/media/{loose}                        403  403  403  403  403  403  403  403  403  403
GET    /l/{shown}/media/{loose}/thumb                  403  403  403  403  403  403  403  403  403  403
GET    /l/{shown}/media/{binned}/preview               403  403  403  403  403  403  403  403  403  403
GET    /l/{taken}/media/{media}/original               200  200  200  200  200  200  200  200  200  200
GET    /l/{dead}                                       403  403  403  403  403  403  403  403  403  403
GET    /l/{dead}/albums/{below}                        403  403  403  403  403  403  403  403  403  403
GET    /l/{dead}/media/{media}                         403  403  403  403  403  403  403  403  403  403
GET    /l/{dead}/media/{media}/thumb                   403  403  403  403  403  403  403  403  403  403
GET    /l/{dead}/media/{media}/original                403  403  403  403  403  403  403  403  403  403
"""

ACCOUNTS = """
                                                       nobo stra view down cont edit mana owne admi visi
GET    /sign-in                                        200  302  302  302  302  302  302  302  302  200
POST   /sign-in                                        422  422  422  422  422  422  422  422  422  422
POST   /sign-out                                       in   in   in   in   in   in   in   in   in   in
GET    /setup/{made_up}                                403  403  403  403  403  403  403  403  403  403
POST   /setup/{made_up}                                403  403  403  403  403  403  403  403  403  403
GET    /invite/{invite}                                200  200  200  200  200  200  200  200  200  200
GET    /invite/{made_up}                               403  403  403  403  403  403  403  403  403  403
POST   /invite/{invite}                                422  422  422  422  422  422  422  422  422  422
POST   /invite/{made_up}                               403  403  403  403  403  403  403  403  403  403
GET    /reset/{reset}                                  200  200  200  200  200  200  200  200  200  200
GET    /reset/{invite}                                 403  403  403  403  403  403  403  403  403  403
POST   /reset/{reset}                                  422  422  422  422  422  422  422  422  422  422
GET    /account                                        in   200  200  200  200  200  200  200  200  in
POST   /account/name                                   in   302  302  302  302  302  302  302  302  in
POST   /account/password                               in   422  422  422  422  422  422  422  422  in
POST   /account/sessions/{session}/end !               in   403  403  403  403  403  403  302  403  in
POST   /account/sessions/end-others !                  in   302  302  302  302  302  302  302  302  in
POST   /account/tokens                                 in   200  200  200  200  200  200  200  200  in
POST   /account/tokens/{token}/revoke !                in   403  403  403  403  403  403  302  403  in
GET    /admin/                                         in   403  403  403  403  403  403  403  200  in
POST   /admin/people !                                 in   403  403  403  403  403  403  403  200  in
GET    /admin/people/{person}                          in   403  403  403  403  403  403  403  200  in
POST   /admin/people/{person}                          in   403  403  403  403  403  403  403  302  in
POST   /admin/people/{invited}/withdraw !              in   403  403  403  403  403  403  403  302  in
POST   /admin/people/{person}/end-sessions             in   403  403  403  403  403  403  403  302  in
POST   /admin/people/{person}/password-link            in   403  403  403  403  403  403  403  200  in
GET    /admin/access                                   in   403  403  403  403  403  403  403  200  in
POST   /admin/access/grants/{album}/{guest}/revoke !   in   403  403  403  403  403  403  403  302  in
POST   /admin/access/links/{link}/revoke !             in   403  403  403  403  403  403  403  302  in
GET    /admin/events                                   in   403  403  403  403  403  403  403  200  in
GET    /admin/events/export                            in   403  403  403  403  403  403  403  200  in
GET    /healthz                                        200  200  200  200  200  200  200  200  200  200
GET    /readyz                                         200  200  200  200  200  200  200  200  200  200
GET    /metrics                                        403  403  403  403  403  403  403  403  200  403
GET    /static/favicon.svg                             200  200  200  200  200  200  200  200  200  200
"""

API = """
                                                       nobo stra view down cont edit mana owne admi visi
GET    /api/v1/openapi.json                            200  200  200  200  200  200  200  200  200  200
GET    /api/v1/me                                      401  200  200  200  200  200  200  200  200  401
GET    /api/v1/users                                   401  403  403  403  403  403  403  403  200  401
POST   /api/v1/users !                                 401  403  403  403  403  403  403  403  201  401
PATCH  /api/v1/users/{person}                          401  403  403  403  403  403  403  403  200  401
GET    /api/v1/albums                                  401  200  200  200  200  200  200  200  200  401
POST   /api/v1/albums                                  401  201  201  201  201  201  201  201  201  401
GET    /api/v1/albums/{album}                          401  403  200  200  200  200  200  200  403  401
GET    /api/v1/albums/{apart}                          401  403  403  403  403  403  403  200  403  401
PATCH  /api/v1/albums/{album}                          401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/albums/{album} !                        401  403  403  403  403  403  403  204  403  401
GET    /api/v1/albums/{album}/media                    401  403  200  200  200  200  200  200  403  401
GET    /api/v1/albums/{album}/zip                      401  403  403  200  200  200  200  200  403  401
GET    /api/v1/albums/{apart}/zip?below=true           401  403  403  403  403  403  403  200  403  401
PUT    /api/v1/albums/{album}/media/{mine} !           401  403  403  403  204  204  204  204  403  401
PUT    /api/v1/albums/{album}/media/{loose} !          401  403  403  403  403  403  403  204  403  401
DELETE /api/v1/albums/{album}/media/{media} !          401  403  403  403  403  204  204  204  403  401
GET    /api/v1/albums/{album}/grants                   401  403  403  403  403  403  200  200  403  401
PUT    /api/v1/albums/{album}/grants/{guest}           401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/albums/{album}/grants/{guest} !         401  403  403  403  403  403  204  204  403  401
GET    /api/v1/albums/{album}/links                    401  403  403  403  403  403  200  200  403  401
POST   /api/v1/albums/{album}/links                    401  403  403  403  403  403  201  201  403  401
GET    /api/v1/links                                   401  200  200  200  200  200  200  200  200  401
GET    /api/v1/links/{link}                            401  403  403  403  403  403  200  200  403  401
PATCH  /api/v1/links/{link}                            401  403  403  403  403  403  200  200  403  401
POST   /api/v1/links/{link}/rotate !                   401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/links/{link} !                          401  403  403  403  403  403  204  204  403  401
GET    /api/v1/media                                   401  200  200  200  200  200  200  200  200  401
POST   /api/v1/media                                   401  422  422  422  422  422  422  422  422  401
GET    /api/v1/media/{media}                           401  403  200  200  200  200  200  200  403  401
GET    /api/v1/media/{loose}                           401  403  403  403  403  403  403  200  403  401
GET    /api/v1/media/{binned}                          401  403  403  403  403  403  403  403  403  401
PATCH  /api/v1/media/{media}                           401  403  403  403  403  200  200  200  403  401
DELETE /api/v1/media/{media} !                         401  403  403  403  403  403  403  204  403  401
GET    /api/v1/media/{media}/access                    401  403  403  403  403  403  403  200  403  401
POST   /api/v1/media/{binned}/restore !                401  403  403  403  403  403  403  200  403  401
POST   /api/v1/media/{failed}/retry !                  401  403  403  403  403  403  403  200  403  401
"""

# What the form or body of a deed says, by the path without its query.
FORMS: dict[str, dict[str, object]] = {
    "/albums/new": {"title": "New", "order": "newest"},
    "/albums/{album}/edit": {"title": "Summer", "order": "manual", "inherits": "y"},
    "/albums/{album}/grants": {"email": "guest@example.org", "role": "viewer"},
    "/albums/{album}/links": {"label": "Friends", "role": "viewer"},
    "/links/{link}/update": {"label": "Family", "role": "viewer"},
    "/media/{media}/edit": {"caption": "A lake"},
    "/account/name": {"name": "Somebody"},
    "/account/password": {"current": "not the present one", "new": "a walk by the sea in May"},
    "/account/tokens": {"name": "script", "scopes": "READ"},
    "/admin/people": {"email": "newcomer@example.org"},
    "/admin/people/{person}": {"name": "Somebody"},
    "/api/v1/users": {"email": "newcomer@example.org"},
    "/api/v1/users/{person}": {"name": "Somebody"},
    "/api/v1/albums": {"title": "New"},
    "/api/v1/albums/{album}": {"title": "Summer"},
    "/api/v1/albums/{album}/grants/{guest}": {"role": "viewer"},
    "/api/v1/albums/{album}/links": {"label": "Friends", "role": "viewer"},
    "/api/v1/links/{link}": {"label": "Family"},
    "/api/v1/media/{media}": {"caption": "A lake"},
}
