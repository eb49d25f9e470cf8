"""`python -m vce_cli`, for launchers that start modules."""

from vce_cli.app import main

main()
