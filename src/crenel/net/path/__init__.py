"""The way between client and server: packets with times in, what becomes of each out; pure, so that any clock can drive it."""
