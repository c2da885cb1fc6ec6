"""Clients that are slow, on purpose or not, against a server that must go on answering others."""
