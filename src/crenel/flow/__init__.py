"""Packets in, conversations out: keys, records, reassembly, fragments."""
