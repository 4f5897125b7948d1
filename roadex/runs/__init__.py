"""What a run folder holds, how it is written, continued and read back."""
