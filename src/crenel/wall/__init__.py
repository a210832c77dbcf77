"""Packets with time and side in, effects with their because out: the middleboxes of a wall and their memory."""
