"""What the processes that fit import: done once, by the process that they are forked from."""

from importlib import import_module

from flows.imports import uncollected

NAMES = (
    *("distributed", "prefect_dask.task_runners", "keras", "flows.fan_out"),
    *("pyarrow.dataset", "pyarrow.pandas_compat"),  # which pandas leaves until a table is read
)

with uncollected():
    for name in NAMES:
        import_module(name)
