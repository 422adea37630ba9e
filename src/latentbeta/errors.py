"""The package's own exceptions and warnings: one base class, one name per kind of trouble."""


class LatentBetaError(Exception):
    """Base of every error the package raises on purpose; its message says what to do."""


class SettingsError(LatentBetaError):
    """A value in params.yaml is missing, of the wrong type, or contradicts another."""


class CharacteristicError(LatentBetaError):
    """A user's own characteristic cannot be used: names its file, the row and what is wrong."""


class DataError(LatentBetaError):
    """Input that cannot be read or used: names the file, the row, the column and the value."""


class SourceError(LatentBetaError):
    """A source of data on the network or in a database failed, or too much of it did."""


class AbsentError(SourceError):
    """The source says that it has no such asset: asking again would not help."""


class QualityError(LatentBetaError):
    """A blocking rule of the validation gate failed: names the rule and the first rows."""


class ModelError(LatentBetaError):
    """A model cannot be estimated on the sample it was given."""


class TrackingError(LatentBetaError):
    """The experiment store refused a request, or does not hold what was asked of it."""


class LatentBetaWarning(UserWarning):
    """Base of every warning the package gives on purpose."""


class ConvergenceWarning(LatentBetaWarning):
    """An iterative estimator stopped at its iteration limit."""


class DivergenceWarning(LatentBetaWarning):
    """Networks of an ensemble were given up because their loss was no longer finite."""


class PipelineError(LatentBetaError):
    """A stage of the pipeline failed, or another run of the project is at work."""


class StoreError(LatentBetaError):
    """The store of snapshots is damaged, lacks what was asked of it, or is being written."""
