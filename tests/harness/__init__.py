"""Starts the real binary, talks to it over real sockets, and audits its books."""
