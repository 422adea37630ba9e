"""The same run in two clones: the same bytes."""

import pytest
from tests.end_to_end.workspace import digests

FOLDERS = ("simulated", "prices", "panel", "validation", "results", "training", "evaluation")
NEW_EACH_TIME = {"training/runs.json"}  # ids of MLflow runs


@pytest.mark.slow
def test_every_result_is_the_same_byte_for_byte(base_run, workspace_of):
    clone = workspace_of("clone")
    clone.run_small()
    one, other = (
        {
            f"{name}/{path}": digest
            for name in FOLDERS
            for path, digest in digests(data / name).items()
        }
        for data in (base_run.workspace.data, clone.data)
    )
    assert set(one) == set(other)
    different = {path for path in one if one[path] != other[path]}
    assert {p for p in different if not p.startswith("validation/docs/")} <= NEW_EACH_TIME
    assert {"results/predictions.parquet", "results/metrics.json"} <= set(one) - different
    assert any(path.startswith("training/models/ca1_3/") for path in set(one) - different)
    fits = [digests(data / "fold_store") for data in (base_run.workspace.data, clone.data)]
    assert fits[0] == fits[1]
