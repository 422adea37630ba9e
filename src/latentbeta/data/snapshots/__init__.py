"""What a source said at each ingest: snapshots that are only ever added to."""

from latentbeta.data.snapshots.keeping import Ingested, ingest_and_keep
from latentbeta.data.snapshots.manifest import Changes, Part, Snapshot
from latentbeta.data.snapshots.store import SnapshotStore

__all__ = ["Changes", "Ingested", "Part", "Snapshot", "SnapshotStore", "ingest_and_keep"]
