"""What the two ends say to each other: bytes that an application hears in, what it says next and what it makes of it all out."""
