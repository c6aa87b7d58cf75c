"""The rows. Floor 1: knows the database's session and ids, no rule and no use case."""
