"""What leaves of a video: the rendition that the worker made, or nothing that moves.

Floor 3. A rendition has no metadata and cannot be drawn anew for each link, so terms let it out as it is or not at all.
"""

from typing import Any, Final

import sqlalchemy as sa

from vault import pairing
from vault.db import db
from vault.models.media import MediaFacts, Part, Variant
from vault.models.sharing import LinkTerms
from vault.policy import Denied
from vault.services import NotReady
from vault.services.editions.making import Edition

MOVING: Final = ("video", "motion")


def moving(row: MediaFacts, terms: LinkTerms | None, name: str) -> Edition:
    """Return the rendition of a video, or the moving seconds of a picture: its own, or those kept as its part.

    Raises NotReady while there is none, and Denied under terms that want a name in the picture or a smaller one.
    """
    columns = (Variant.blob_key, Variant.sha256, Variant.size_bytes, Variant.width, Variant.height)
    wanted = sa.and_(Variant.media_id == row.id, Variant.name == name)
    if name == "motion" and (film := pairing.part_of(db.session(), row.id, Part.MOTION)) is not None:
        wanted = sa.or_(wanted, sa.and_(Variant.media_id == film.id, Variant.name == "video"))
    found = db.session.execute(sa.select(*columns).where(wanted).order_by(Variant.name).limit(1)).first()
    # Decided before anybody is told to wait: no rendition is ever as small, or marked.
    if terms is not None and (terms.watermark or _exceeds(terms, found)):
        raise Denied
    if found is None:
        raise NotReady
    etag = f"{found.sha256[:32]}-{name}"
    return Edition(found.blob_key, "video/mp4", etag, found.size_bytes, None, "mp4")


def _exceeds(terms: LinkTerms, found: Any) -> bool:
    if terms.long_edge_px is None or found is None:
        return False
    longest: int = max(found.width, found.height)
    return longest > terms.long_edge_px
