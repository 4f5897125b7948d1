"""The frame of a command: composition, help, refusals and exit codes."""
