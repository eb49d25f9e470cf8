"""The command line of vce: options in, one core call, report out."""
