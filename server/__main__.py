"""`python -m server` is `jarvis`."""

from server.cli import main

if __name__ == "__main__":
    main()
