"""The walls as data: dated, cited TOML files, their schema, and the way from a file to a wall that runs."""
