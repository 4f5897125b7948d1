"""Typed settings of every command, and the frame around a command."""
