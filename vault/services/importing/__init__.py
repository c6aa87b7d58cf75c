"""Importing: trees, archives and Takeouts, taken in file by file.

Floor 3.
"""

from vault.services.importing.runs import begin_from_upload, due, release_claims

__all__ = ["begin_from_upload", "due", "release_claims"]
