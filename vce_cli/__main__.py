"""`python -m vce_cli`, for launchers that start modules."""

from vce_cli.start import main

if __name__ == "__main__":
    main()
