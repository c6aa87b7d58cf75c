"""HTTP in, HTTP out.

Floor 4: every page file belongs to one subject; `access`, `delivery` and `tiles` are its halls.
"""
