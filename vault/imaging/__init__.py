"""Pixels: what a file is, its small pictures, what it says about itself, and the child that decodes it.

Floor 0. Knows no settings, rows, storage or HTTP: limits come as arguments, bytes as files.
"""
