"""Connections of programs in a lab in, answers out: a resolver, web servers and others that know every name, on the server's machine."""
