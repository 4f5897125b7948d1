"""Why a score is low: which missing, false and displaced roads cost how much."""
