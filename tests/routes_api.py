"""The approved list of what scripts ask, and what each address answers to whom; written like tests/routes_table.py."""

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
POST   /api/v1/albums/{below}/move                     401  403  403  403  403  403  422  200  403  401
GET    /api/v1/groups                                  401  200  200  200  200  200  200  200  200  401
POST   /api/v1/groups                                  401  201  201  201  201  201  201  201  201  401
GET    /api/v1/groups/{group}                          401  200  200  200  200  200  200  200  200  401
GET    /api/v1/groups/{club}                           401  403  403  403  403  403  403  200  403  401
PATCH  /api/v1/groups/{group}                          401  403  403  403  403  403  403  403  200  401
PATCH  /api/v1/groups/{club}                           401  403  403  403  403  403  403  200  403  401
DELETE /api/v1/groups/{group} !                        401  403  403  403  403  403  403  403  204  401
DELETE /api/v1/groups/{club} !                         401  403  403  403  403  403  403  204  403  401
GET    /api/v1/groups/{group}/members                  401  403  403  403  403  403  403  403  200  401
GET    /api/v1/groups/{club}/members                   401  403  403  403  403  403  403  200  403  401
PUT    /api/v1/groups/{group}/members/{guest}          401  403  403  403  403  403  403  403  200  401
PUT    /api/v1/groups/{club}/members/{guest}           401  403  403  403  403  403  403  200  403  401
DELETE /api/v1/groups/{group}/members/{guest} !        401  403  403  403  403  403  403  403  204  401
DELETE /api/v1/groups/{club}/members/{guest} !         401  403  403  403  403  403  403  204  403  401
GET    /api/v1/albums/{album}/group-grants             401  403  403  403  403  403  200  200  403  401
PUT    /api/v1/albums/{album}/group-grants/{group}     401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/albums/{album}/group-grants/{group} !   401  403  403  403  403  403  204  204  403  401
GET    /api/v1/albums/{album}/grants                   401  403  403  403  403  403  200  200  403  401
PUT    /api/v1/albums/{album}/grants/{guest}           401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/albums/{album}/grants/{guest} !         401  403  403  403  403  403  204  204  403  401
GET    /api/v1/albums/{album}/links                    401  403  403  403  403  403  200  200  403  401
POST   /api/v1/albums/{album}/links                    401  403  403  403  403  403  201  201  403  401
GET    /api/v1/albums/{album}/access                   401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/albums/{album}/access/{line} !          401  403  403  403  403  403  204  204  403  401
GET    /api/v1/albums/{album}/as/{guest}/media         401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/media/{media}/access/{seen} !           401  403  403  403  403  403  403  204  403  401
GET    /api/v1/progress                                401  200  200  200  200  200  200  200  200  401
GET    /api/v1/notices                                 401  200  200  200  200  200  200  200  200  401
DELETE /api/v1/notices/{told} !                        401  403  403  403  403  403  403  204  403  401
GET    /api/v1/imports                                 401  200  200  200  200  200  200  200  200  401
GET    /api/v1/imports/{import}                        401  403  403  403  403  403  403  200  403  401
DELETE /api/v1/imports/{import} !                      401  403  403  403  403  403  403  204  403  401
GET    /api/v1/links                                   401  200  200  200  200  200  200  200  200  401
POST   /api/v1/links                                   401  422  422  422  422  422  422  422  422  401
GET    /api/v1/links/{link}                            401  403  403  403  403  403  200  200  403  401
PATCH  /api/v1/links/{link}                            401  403  403  403  403  403  200  200  403  401
POST   /api/v1/links/{link}/pause !                    401  403  403  403  403  403  200  200  403  401
POST   /api/v1/links/{link}/resume                     401  403  403  403  403  403  200  200  403  401
POST   /api/v1/links/{link}/copy !                     401  403  403  403  403  403  201  201  403  401
GET    /api/v1/links/{link}/history                    401  403  403  403  403  403  200  200  403  401
POST   /api/v1/links/{link}/rotate !                   401  403  403  403  403  403  200  200  403  401
DELETE /api/v1/links/{link} !                          401  403  403  403  403  403  204  204  403  401
GET    /api/v1/media                                   401  200  200  200  200  200  200  200  200  401
POST   /uploads/                                       401  201  201  201  201  201  201  201  201  401
HEAD   /uploads/{upload}                               401  403  403  403  403  403  403  200  403  401
PATCH  /uploads/{upload}                               401  403  403  403  403  403  403  204  403  401
POST   /uploads/{upload}                               401  403  403  403  403  403  403  405  403  401
DELETE /uploads/{upload} !                             401  403  403  403  403  403  403  204  403  401
POST   /api/v1/media/known                             401  200  200  200  200  200  200  200  200  401
POST   /api/v1/media                                   401  422  422  422  422  422  422  422  422  401
GET    /api/v1/media/{media}                           401  403  200  200  200  200  200  200  403  401
GET    /api/v1/media/{loose}                           401  403  403  403  403  403  403  200  403  401
GET    /api/v1/media/{binned}                          401  403  403  403  403  403  403  403  403  401
PATCH  /api/v1/media/{media}                           401  403  403  403  403  200  200  200  403  401
PUT    /api/v1/media/{media}/sidecar                   401  403  403  403  403  403  403  200  403  401
DELETE /api/v1/media/{media}/parts !                   401  403  403  403  403  403  403  204  403  401
DELETE /api/v1/media/{media} !                         401  403  403  403  403  403  403  204  403  401
GET    /api/v1/albums/{album}/arrivals                 401  403  403  403  403  403  200  200  403  401
POST   /api/v1/media/{arrived}/accept !                401  403  403  403  403  403  204  204  403  401
POST   /api/v1/media/{arrived}/decline !               401  403  403  403  403  403  204  204  403  401
GET    /api/v1/media/{media}/access                    401  403  403  403  403  403  403  200  403  401
POST   /api/v1/media/{binned}/restore !                401  403  403  403  403  403  403  200  403  401
POST   /api/v1/media/{failed}/retry !                  401  403  403  403  403  403  403  200  403  401
"""
