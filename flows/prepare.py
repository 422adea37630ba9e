"""What a first run would wait for, done when the project is installed: `python -m flows.prepare`.

Prefect and MLflow make a new database by replaying every change that theirs ever had: five seconds
of a processor. A run makes what is missing all the same.
"""

from __future__ import annotations

import asyncio

from flows import PROJECT
from latentbeta.tracking import initialise


def main() -> None:
    """Make the databases of Prefect and MLflow where they are missing."""
    from prefect.server.database import provide_database_interface

    asyncio.run(provide_database_interface().create_db())
    initialise(PROJECT)


if __name__ == "__main__":
    main()
