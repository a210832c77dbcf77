"""The command line as a module: `python -m crenel`."""

from crenel.cli import main

if __name__ == "__main__":
    main()
