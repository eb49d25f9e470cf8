"""What a model is worth: likelihood, recognisability, diversity, transfer."""
