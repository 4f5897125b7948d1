"""From raw tiles to training crops. Only `crops` needs torch."""
