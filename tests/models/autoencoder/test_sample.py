from dataclasses import replace

import numpy as np
import pytest

from latentbeta.models.autoencoder import sample as module
from latentbeta.models.autoencoder.backend import backend
from latentbeta.models.autoencoder.ensemble import Optimisation, train
from latentbeta.models.autoencoder.networks import Architecture
from latentbeta.models.autoencoder.sample import Sample, capacity, chunks

NETWORK = Architecture(n_inputs=3, hidden=(4,), n_factors=2, n_portfolios=5)
ROW_BYTES = 4 * (3 + 1 + 5)


@pytest.fixture
def sample():
    rng = np.random.default_rng(60)
    data = {
        "Z": rng.uniform(-1, 1, (70, 3)).astype(np.float32),
        "R": rng.normal(size=70).astype(np.float32),
        "date": np.sort(rng.integers(0, 9, 70)),
        "X": rng.normal(size=(9, 5)).astype(np.float32),
    }
    return Sample(data, np.arange(50), np.arange(50, 70))


def optimisation():
    one = (0.01,) * 2
    return Optimisation(one, (0.0, 0.01), (1, 2), 10, epochs=4, patience=4, order_seed=61)


def test_rows_come_in_their_order_and_portfolios_by_date(sample, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 20 * ROW_BYTES)
    monkeypatch.setattr(module, "LEAST_BATCHES", 1)
    rows = np.random.default_rng(62).permutation(70)[:50]
    found = list(chunks(sample, rows, block=10))
    assert [chunk.n_rows for chunk in found] == [20, 20, 10]
    joined = {
        name: np.concatenate([np.asarray(chunk.arrays[name])[: chunk.n_rows] for chunk in found])
        for name in ("Z", "R", "X")
    }
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(joined["Z"][i], sample.data["Z"][row])
        np.testing.assert_array_equal(joined["X"][i], sample.data["X"][sample.data["date"][row]])
        assert joined["R"][i] == sample.data["R"][row]
    last = found[-1].arrays
    assert "date" not in last
    assert all(np.asarray(values).shape[0] == 20 for values in last.values())
    assert not np.asarray(last["Z"])[10:].any()


@pytest.mark.parametrize("bytes_of", [1, 10 * ROW_BYTES, 30 * ROW_BYTES])
def test_training_does_not_depend_on_the_size_of_a_chunk(sample, monkeypatch, bytes_of):
    """But for last bits: another length is another compiled program."""
    whole = train(NETWORK, sample, optimisation())
    monkeypatch.setattr(module, "CHUNK_BYTES", bytes_of)
    monkeypatch.setattr(module, "LEAST_BATCHES", 1)
    parts = train(NETWORK, sample, optimisation())
    for name, weight in whole.weights.items():
        np.testing.assert_allclose(parts.weights[name], weight, atol=1e-6)
    np.testing.assert_allclose(parts.history, whole.history, rtol=1e-6)


def test_a_panel_mapped_from_a_file_trains_to_the_same_bytes(sample, tmp_path):
    np.save(tmp_path / "Z.npy", sample.data["Z"])
    mapped = sample.data | {"Z": np.load(tmp_path / "Z.npy", mmap_mode="r")}
    in_memory = train(NETWORK, sample, optimisation())
    from_file = train(NETWORK, replace(sample, data=mapped), optimisation())
    for name, weight in in_memory.weights.items():
        assert weight.tobytes() == from_file.weights[name].tobytes()


def test_many_validation_rows_are_summed_over_chunks(sample, monkeypatch):
    """Each chunk ends within a block: rows that only fill it up must not count."""
    from latentbeta.models.autoencoder import ensemble, epoch

    whole = train(NETWORK, sample, optimisation())
    for where in (ensemble, epoch):
        monkeypatch.setattr(where, "VALIDATION_BLOCK", 8)
    monkeypatch.setattr(module, "CHUNK_BYTES", 16 * ROW_BYTES)
    monkeypatch.setattr(module, "LEAST_BATCHES", 1)
    ensemble._compiled.cache_clear()
    parts = train(NETWORK, sample, optimisation())
    ensemble._compiled.cache_clear()
    np.testing.assert_allclose(
        parts.history["validation_loss"], whole.history["validation_loss"], rtol=1e-6
    )


def test_capacities_are_powers_of_four():
    assert [capacity(n) for n in (1, 2, 3, 4, 5, 16, 17, 64, 65, 500)] == [
        *(4, 4, 4, 4, 16, 16, 64, 64, 256, 1024),
    ]


def test_a_chunk_holds_eight_batches_however_large_they_are(sample, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 1)
    rows = np.arange(50)
    assert [chunk.n_rows for chunk in chunks(sample, rows, block=5)] == [40, 10]
    assert [chunk.n_rows for chunk in chunks(sample, rows, block=20)] == [50]


@pytest.mark.parametrize("shape", [(7,), (7, 3), (0, 3)])
def test_a_tensor_lies_where_its_rows_were_gathered(shape):
    array = module._aligned(shape, np.dtype(np.float32))
    assert array.shape == shape
    assert array.ctypes.data % 64 == 0 or not array.size
    array[...] = np.arange(array.size).reshape(shape)
    tensor = backend().shared(array)
    np.testing.assert_array_equal(np.asarray(tensor), array)
    assert np.shares_memory(np.asarray(tensor), array) or not array.size
