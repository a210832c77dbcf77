"""Strategies of evasion: what they say, and what becomes of a packet at the end that uses one."""
