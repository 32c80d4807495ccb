"""``python -m ccpq`` is the command ``ccpq``."""

from ccpq._cli import main

if __name__ == "__main__":
    main()
