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
GET    /progress                                       in   200  200  200  200  200  200  200  200  in
POST   /progress/try-again                             in   302  302  302  302  302  302  302  302  in
GET    /trash                                          in   200  200  200  200  200  200  200  200  in
GET    /damaged                                        in   200  200  200  200  200  200  200  200  in
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
GET    /albums/{album}/move                            in   403  403  403  403  403  200  200  403  in
GET    /albums/{below}/move?to=top                     in   403  403  403  403  403  422  200  403  in
POST   /albums/{below}/move                            in   403  403  403  403  403  422  409  403  in
GET    /albums/{below}/inherit                         in   403  403  403  403  403  200  200  403  in
POST   /albums/{below}/inherit                         in   403  403  403  403  403  409  409  403  in
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
POST   /albums/{album}/group-grants/{group}/revoke !   in   403  403  403  403  403  302  302  403  in
POST   /albums/{album}/leave !                         in   403  302  302  302  302  302  403  403  in
POST   /albums/{album}/links                           in   403  403  403  403  403  302  302  403  in
GET    /albums/{album}/history                         in   403  403  403  403  403  200  200  403  in
GET    /albums/{album}/access                          in   403  403  403  403  403  200  200  403  in
POST   /albums/{album}/access/{line}/end !             in   403  403  403  403  403  302  302  403  in
GET    /albums/{apart}/access                          in   403  403  403  403  403  403  200  403  in
GET    /albums/{album}/as/{guest}                      in   403  403  403  403  403  200  200  403  in
GET    /albums/{album}/as/link-{inside}                in   403  403  403  403  403  200  200  403  in
GET    /albums/{album}/as/nobody                       in   403  403  403  403  403  200  200  403  in
GET    /albums/{apart}/as/{guest}                      in   403  403  403  403  403  403  403  403  in
GET    /albums/{album}/as/{guest}/albums/{below}       in   403  403  403  403  403  200  200  403  in
GET    /albums/{album}/as/{guest}/albums/{apart}       in   403  403  403  403  403  403  403  403  in
GET    /albums/{album}/as/{guest}/media/{media}        in   403  403  403  403  403  200  200  403  in
GET    /albums/{album}/as/{guest}/media/{loose}        in   403  403  403  403  403  403  403  403  in
GET    /albums/{album}/as/{guest}/media/{media}/thumb  403  403  403  403  403  403  200  200  403  403
GET    /albums/{album}/as/{guest}/media/{media}/preview 403  403  403  403  403  403  200  200  403  403
GET    /albums/{album}/as/{guest}/media/{film}/video   403  403  403  403  403  403  200  200  403  403
GET    /albums/{album}/as/{guest}/media/{media}/motion 403  403  403  403  403  403  200  200  403  403
GET    /albums/{album}/as/{guest}/media/{loose}/motion 403  403  403  403  403  403  403  403  403  403
GET    /albums/{album}/as/{guest}/media/{media}/original 403  403  403  403  403  403  403  403  403  403
GET    /albums/{album}/as/link-{taker}/media/{media}/original 403  403  403  403  403  403  200  200  403  403
GET    /albums/{album}/as/{guest}/media/{loose}/thumb  403  403  403  403  403  403  403  403  403  403
GET    /media/{media}/access                           in   403  403  403  403  403  403  200  403  in
POST   /media/{media}/access/{seen}/end !              in   403  403  403  403  403  403  302  403  in
GET    /albums/{album}/arrivals                        in   403  403  403  403  403  200  200  403  in
POST   /albums/{album}/arrivals                        in   403  403  403  403  403  302  302  403  in
POST   /media/{arrived}/accept !                       in   403  403  403  403  403  302  302  403  in
POST   /media/{arrived}/decline !                      in   403  403  403  403  403  302  302  403  in
POST   /media/{media}/accept                           in   403  403  403  403  403  403  403  403  in
GET    /media/{arrived}/thumb                          403  403  403  403  403  403  200  200  403  403
GET    /exposure                                       in   200  200  200  200  200  200  200  200  in
POST   /exposure                                       in   302  302  302  302  302  302  302  302  in
POST   /notices/{told}/dismiss !                       in   403  403  403  403  403  403  302  403  in
POST   /notices/{told}/end !                           in   403  403  403  403  403  403  302  403  in
GET    /links                                          in   200  200  200  200  200  200  200  200  in
POST   /links                                          in   422  422  422  422  422  422  422  422  in
GET    /links/new?ids={media}                          in   403  200  200  200  200  200  200  403  in
POST   /links/new?ids={loose}                          in   403  403  403  403  403  403  200  403  in
GET    /links/{link}                                   in   403  403  403  403  403  200  200  403  in
GET    /links/{link}/qr.svg                            in   403  403  403  403  403  200  200  403  in
GET    /links/{link}/history.csv                       in   403  403  403  403  403  200  200  403  in
POST   /links/{link}/copy !                            in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/pause !                           in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/resume                            in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/revoke !                          in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/rotate !                          in   403  403  403  403  403  302  302  403  in
POST   /links/{link}/update                            in   403  403  403  403  403  302  302  403  in
GET    /media/{media}                                  in   403  200  200  200  200  200  200  403  in
GET    /media/{loose}                                  in   403  403  403  403  403  403  200  403  in
GET    /media/{binned}                                 in   403  403  403  403  403  403  403  403  in
GET    /media/{media}/thumb                            403  403  200  200  200  200  200  200  403  403
GET    /media/{media}/preview                          403  403  200  200  200  200  200  200  403  403
GET    /media/{media}/original                         403  403  403  200  200  200  200  200  403  403
GET    /media/{media}/motion                           403  403  200  200  200  200  200  200  403  403
GET    /media/{media}/video                            403  403  404  404  404  404  404  404  403  403
GET    /media/{loose}/motion                           403  403  403  403  403  403  403  404  403  403
GET    /media/{binned}/motion                          403  403  403  403  403  403  403  403  403  403
GET    /media/{film}/video                             403  403  200  200  200  200  200  200  403  403
GET    /media/{film}/motion                            403  403  404  404  404  404  404  404  403  403
GET    /media/{loose}/thumb                            403  403  403  403  403  403  403  200  403  403
GET    /media/{binned}/original                        403  403  403  403  403  403  403  403  403  403
GET    /media/{failed}/thumb                           403  403  404  404  404  404  404  404  403  403
POST   /media/{media}/edit                             in   403  403  403  403  302  302  302  403  in
GET    /media/{media}/raw                              403  403  403  403  403  403  403  403  403  403
POST   /media/{media}/keep-apart                       in   403  403  403  403  403  403  302  403  in
POST   /media/{media}/trash !                          in   403  403  403  403  403  403  302  403  in
POST   /media/{binned}/restore !                       in   403  403  403  403  403  403  302  403  in
POST   /media/{binned}/purge !                         in   403  403  403  403  403  403  302  403  in
POST   /media/{failed}/retry !                         in   403  403  403  403  403  403  302  403  in
POST   /media/zip                                      in   422  422  422  422  422  422  422  422  in
GET    /upload                                         in   200  200  200  200  200  200  200  200  in
POST   /upload                                         in   302  302  302  302  302  302  302  302  in
GET    /imports                                        in   200  200  200  200  200  200  200  200  in
GET    /imports/{import}                               in   403  403  403  403  403  403  200  403  in
POST   /imports/{import}/stop !                        in   403  403  403  403  403  403  302  403  in
"""

# What a link opens depends on the ticket alone: `visitor` came by {shown} and {taken}, and by {dead} before it died.
# {inside}, {taker} and {closed} are these links' own ids. The address stands last: whoever asked for it has a ticket.
VISITS = """
                                                       nobo stra view down cont edit mana owne admi visi
GET    /l/{inside}/                                    403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/albums/{below}                      403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/albums/{apart}                      403  403  403  403  403  403  403  403  403  403
GET    /l/{inside}/media/{media}                       403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/media/{media}/thumb                 403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/media/{media}/preview               403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/media/{media}/motion                403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/media/{film}/video                  403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/media/{loose}/motion                403  403  403  403  403  403  403  403  403  403
GET    /l/{inside}/media/{media}/original              403  403  403  403  403  403  403  403  403  403
GET    /l/{inside}/media/{loose}                       403  403  403  403  403  403  403  403  403  403
GET    /l/{inside}/media/{loose}/thumb                 403  403  403  403  403  403  403  403  403  403
GET    /l/{inside}/media/{binned}/preview              403  403  403  403  403  403  403  403  403  403
GET    /l/{taker}/media/{media}/original               403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/zip                                 403  403  403  403  403  403  403  403  403  403
GET    /l/{taker}/zip                                  403  403  403  403  403  403  403  403  403  200
GET    /l/{inside}/add                                 403  403  403  403  403  403  403  403  403  403
POST   /l/{inside}/add                                 403  403  403  403  403  403  403  403  403  403
GET    /l/{adder}/add                                  403  403  403  403  403  403  403  403  403  200
POST   /l/{inside}/uploads/                            403  403  403  403  403  403  403  403  403  403
POST   /l/{adder}/uploads/                             403  403  403  403  403  403  403  403  403  201
HEAD   /l/{adder}/uploads/{upload}                     403  403  403  403  403  403  403  403  403  403
PATCH  /l/{adder}/uploads/{upload}                     403  403  403  403  403  403  403  403  403  403
POST   /l/{adder}/uploads/{upload}                     403  403  403  403  403  403  403  403  403  403
DELETE /l/{adder}/uploads/{upload}                     403  403  403  403  403  403  403  403  403  403
POST   /l/{adder}/add                                  403  403  403  403  403  403  403  403  403  303
GET    /l/{adder}/                                     403  403  403  403  403  403  403  403  403  303
GET    /l/{adder}/media/{media}/thumb                  403  403  403  403  403  403  403  403  403  403
GET    /l/{adder}/media/{arrived}/thumb                403  403  403  403  403  403  403  403  403  403
POST   /l/{adder}/brought/{arrived}/withdraw           403  403  403  403  403  403  403  403  403  403
GET    /l/{closed}/zip                                 403  403  403  403  403  403  403  403  403  403
POST   /l/{inside}/unlock                              403  403  403  403  403  403  403  403  403  303
GET    /l/{dead}                                       403  403  403  403  403  403  403  403  403  403
GET    /l/{closed}/                                    403  403  403  403  403  403  403  403  403  403
GET    /l/{closed}/albums/{below}                      403  403  403  403  403  403  403  403  403  403
GET    /l/{closed}/media/{media}                       403  403  403  403  403  403  403  403  403  403
GET    /l/{closed}/media/{media}/thumb                 403  403  403  403  403  403  403  403  403  403
GET    /l/{closed}/media/{media}/original              403  403  403  403  403  403  403  403  403  403
GET    /l/{shown}                                      303  303  303  303  303  303  303  303  303  303
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
GET    /groups                                         in   200  200  200  200  200  200  200  200  in
POST   /groups                                         in   302  302  302  302  302  302  302  302  in
GET    /groups/{group}                                 in   200  200  200  200  200  200  200  200  in
GET    /groups/{club}                                  in   403  403  403  403  403  403  200  403  in
POST   /groups/{group}/rename                          in   403  403  403  403  403  403  403  302  in
POST   /groups/{club}/rename                           in   403  403  403  403  403  403  302  403  in
POST   /groups/{group}/members                         in   403  403  403  403  403  403  403  302  in
POST   /groups/{club}/members                          in   403  403  403  403  403  403  302  403  in
POST   /groups/{group}/members/{guest}/remove !        in   403  403  403  403  403  403  403  302  in
POST   /groups/{club}/members/{guest}/remove !         in   403  403  403  403  403  403  302  403  in
POST   /groups/{group}/leave                           in   403  403  403  403  403  403  403  403  in
POST   /groups/{group}/delete !                        in   403  403  403  403  403  403  403  302  in
POST   /groups/{club}/delete !                         in   403  403  403  403  403  403  302  403  in
GET    /admin/                                         in   403  403  403  403  403  403  403  200  in
POST   /admin/people !                                 in   403  403  403  403  403  403  403  200  in
GET    /admin/people/{person}                          in   403  403  403  403  403  403  403  200  in
POST   /admin/people/{person}                          in   403  403  403  403  403  403  403  302  in
POST   /admin/people/{invited}/withdraw !              in   403  403  403  403  403  403  403  302  in
POST   /admin/people/{person}/end-sessions             in   403  403  403  403  403  403  403  302  in
POST   /admin/people/{person}/password-link            in   403  403  403  403  403  403  403  200  in
GET    /admin/groups                                   in   403  403  403  403  403  403  403  200  in
POST   /admin/groups !                                 in   403  403  403  403  403  403  403  302  in
GET    /admin/access                                   in   403  403  403  403  403  403  403  200  in
POST   /admin/access/grants/{album}/{guest}/revoke !   in   403  403  403  403  403  403  403  302  in
POST   /admin/access/group-grants/{album}/{group}/revoke ! in   403  403  403  403  403  403  403  302  in
POST   /admin/access/links/{link}/revoke !             in   403  403  403  403  403  403  403  302  in
GET    /admin/exposure                                 in   403  403  403  403  403  403  403  200  in
POST   /admin/exposure                                 in   403  403  403  403  403  403  403  302  in
GET    /admin/policy                                   in   403  403  403  403  403  403  403  200  in
POST   /admin/policy                                   in   403  403  403  403  403  403  403  302  in
GET    /admin/people/{person}/look                     in   403  403  403  403  403  403  403  200  in
POST   /admin/people/{person}/look                     in   403  403  403  403  403  403  403  422  in
GET    /admin/events                                   in   403  403  403  403  403  403  403  200  in
GET    /admin/events/export                            in   403  403  403  403  403  403  403  200  in
GET    /healthz                                        200  200  200  200  200  200  200  200  200  200
GET    /readyz                                         200  200  200  200  200  200  200  200  200  200
GET    /metrics                                        403  403  403  403  403  403  403  403  200  403
GET    /static/favicon.svg                             200  200  200  200  200  200  200  200  200  200
"""
