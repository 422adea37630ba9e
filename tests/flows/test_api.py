"""What a flow started as a command prints."""

import warnings

import pytest
from flows.api import plain_errors, plain_warnings

from latentbeta.errors import ConvergenceWarning, DataError


def test_the_packages_own_warning_is_one_plain_line_and_others_stay(capsys):
    with warnings.catch_warnings(record=True) as others, plain_warnings():
        warnings.simplefilter("always")
        warnings.warn("IPCA: still moving", ConvergenceWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert capsys.readouterr().out == "warning: IPCA: still moving\n"
    assert [str(other.message) for other in others] == ["something else"]


def test_the_packages_own_error_is_its_message_and_status_one(capsys):
    with pytest.raises(SystemExit) as ended, plain_errors("ingest"):
        raise DataError("prices.csv, row 3: close is -1; correct it")
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err == "\ningest stopped: prices.csv, row 3: close is -1; correct it\n"
    )
