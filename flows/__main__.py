"""One stage: `python -m flows STAGE`, which is what dvc.yaml says.

In a whole run a process stands ready for it (flows/ahead.py) and takes the work over. Else the
stage runs here.
"""

import sys

from flows.handover import end_at_once, handed_over


def main(stage: str) -> int:
    """Run a stage, in the process that stands ready or in this one; return the status."""
    status = handed_over(stage)
    if status is not None:
        return status
    from flows.stage import run_stage

    run_stage(stage)
    return 0


if __name__ == "__main__":
    end_at_once(main(*sys.argv[1:]))
