"""Two hosts and the path between them in virtual time."""
