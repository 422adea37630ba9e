"""What a folder that the stage fetch left says about assets that did not come."""

from __future__ import annotations

from pathlib import Path

from latentbeta.storage import read_json

MANIFEST = "manifest.json"
UNANSWERED = ("absent", "failed")


def fetched_notes(folder: Path) -> dict[str, bool]:
    """Return a note on assets that the source lacks or did not give, and whether it applies.

    Parameters
    ----------
    folder : Path
        Any source of data; one without the manifest of a fetch has no notes.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return {}
    try:
        found = read_json(manifest)
    except ValueError:  # a file of the user's that happens to be called so
        return {}
    counts = found.get("assets") if isinstance(found, dict) else None
    if not isinstance(counts, dict) or not {"fetched", *UNANSWERED} <= set(counts):
        return {}
    said = ", ".join(f"{counts[status]} {status}" for status in UNANSWERED if counts[status])
    return {f"of {sum(counts.values())} assets asked for, {said}: see {MANIFEST}": bool(said)}
