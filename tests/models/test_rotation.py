import numpy as np
import pytest
from tests.simulated_panels import month_ends

from latentbeta.models.rotation import (
    beside_identified,
    first_basis,
    principal_axes,
    procrustes,
    rotate_betas,
    rotate_factors,
    rotations_onto,
    whitening,
)


@pytest.fixture
def rng():
    return np.random.default_rng(30)


def random_orthogonal(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def products(betas, factors):
    return np.einsum("mnk,mtk->mnt", betas, factors)


def test_turning_by_hand():
    G = np.array([[[2.0, 0.0], [0.0, 0.5]]])
    np.testing.assert_array_equal(rotate_factors(np.array([[[3.0, 4.0]]]), G), [[[6.0, 2.0]]])
    np.testing.assert_array_equal(rotate_betas(np.array([[[3.0, 4.0]]]), G), [[[1.5, 8.0]]])


def test_fitted_returns_of_each_member_are_what_they_were(rng):
    factors, betas = rng.normal(size=(3, 40, 4)), rng.normal(size=(3, 25, 4))
    basis = first_basis(month_ends(40), factors[0], betas[0])
    G = rotations_onto(basis, month_ends(40), factors)
    turned = products(rotate_betas(betas, G), rotate_factors(factors, G))
    np.testing.assert_allclose(turned, products(betas, factors), rtol=0, atol=1e-12)


def test_whitened_factors_have_unit_second_moment(rng):
    factors = rng.normal(size=(50, 3)) * [0.1, 2.0, 30.0] + 0.05
    W = whitening(factors)
    white = factors @ W
    np.testing.assert_allclose(W, W.T, atol=1e-12)
    np.testing.assert_allclose(white.T @ white / 50, np.eye(3), atol=1e-10)


def test_a_silenced_factor_leaves_the_rotation_invertible(rng):
    factors = np.column_stack([rng.normal(size=30), np.zeros(30)])
    assert np.isfinite(np.linalg.inv(whitening(factors))).all()


def test_procrustes_undoes_a_rotation(rng):
    source, Q = rng.normal(size=(20, 3)), random_orthogonal(rng, 3)
    np.testing.assert_allclose(procrustes(source, source @ Q), Q, atol=1e-12)


def test_procrustes_by_hand():
    # A quarter turn: the target has the source's axes exchanged, one of them reversed.
    source = np.array([[1.0, 0.0], [0.0, 2.0]])
    target = np.array([[0.0, 1.0], [-2.0, 0.0]])
    np.testing.assert_allclose(procrustes(source, target), [[0, 1], [-1, 0]], atol=1e-15)


def test_no_orthogonal_matrix_comes_nearer_than_procrustes(rng):
    source, target = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    best = np.linalg.norm(source @ procrustes(source, target) - target)
    others = [random_orthogonal(rng, 3) for _ in range(200)]
    assert best <= min(np.linalg.norm(source @ Q - target) for Q in others)


def test_principal_axes_are_uncorrelated_largest_first_and_positive(rng):
    betas = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3)) - 0.2
    turned = betas @ principal_axes(betas)
    moment = turned.T @ turned
    np.testing.assert_allclose(moment, np.diag(np.diag(moment)), atol=1e-10)
    assert (np.diff(np.diag(moment)) < 0).all()
    assert (turned.mean(axis=0) >= 0).all()


def test_the_first_basis_has_unit_factors_and_keeps_the_betas_size(rng):
    dates, factors = month_ends(40), rng.normal(size=(40, 2)) * [3.0, 0.1]
    betas = rng.normal(size=(30, 2))
    basis = first_basis(dates, factors, betas)
    np.testing.assert_allclose(basis.factors.T @ basis.factors / 40, np.eye(2), atol=1e-10)
    G = rotations_onto(basis, dates, factors[None])
    # Published betas of the first fold have a root mean square of one.
    published = rotate_betas(betas[None], G)[0]
    np.testing.assert_allclose(np.sqrt((published**2).mean(axis=0)), 1.0)


def test_members_in_bases_of_their_own_come_back_to_one(rng):
    factors, betas = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    turns = rng.normal(size=(4, 3, 3))  # any invertible mix, sign flips among them
    members = np.array([factors @ A for A in turns])
    member_betas = np.array([betas @ np.linalg.inv(A).T for A in turns])
    basis = first_basis(month_ends(40), members[0], member_betas[0])
    G = rotations_onto(basis, month_ends(40), members)
    aligned = rotate_betas(member_betas, G)
    for member in aligned[1:]:
        np.testing.assert_allclose(member, aligned[0], atol=1e-9)


def test_averages_of_what_is_not_aligned_lose_the_fit(rng):
    """The mean of products is the fit; the product of the means of raw members is not."""
    factors, betas = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    flips = np.array([np.eye(3), -np.eye(3), np.diag([1.0, -1.0, 1.0])])
    members = np.array([factors @ flip for flip in flips])
    member_betas = np.array([betas @ flip for flip in flips])
    fitted = products(member_betas, members).mean(axis=0)
    np.testing.assert_allclose(fitted, betas @ factors.T, atol=1e-12)
    raw = member_betas.mean(axis=0) @ members.mean(axis=0).T
    assert np.abs(raw - fitted).max() > 1
    basis = first_basis(month_ends(40), members[0], member_betas[0])
    G = rotations_onto(basis, month_ends(40), members)
    turned = rotate_betas(member_betas, G).mean(axis=0), rotate_factors(members, G).mean(axis=0)
    np.testing.assert_allclose(turned[0] @ turned[1].T, fitted, atol=1e-10)


def test_a_later_fold_is_turned_by_the_dates_it_shares(rng):
    factors = rng.normal(size=(60, 2))
    dates, betas = month_ends(60), rng.normal(size=(30, 2))
    basis = first_basis(dates[:40], factors[:40], betas)
    planted = np.array([[0.0, -1.0], [1.0, 0.0]])  # exchanged, one sign flipped
    G = rotations_onto(basis, dates[10:], (factors[10:] @ planted)[None])
    earlier = rotations_onto(basis, dates[:40], factors[None, :40])
    published = rotate_factors((factors @ planted)[None], G)[0]
    before = rotate_factors(factors[None], earlier)[0]
    for k in range(2):
        assert np.corrcoef(published[:, k], before[:, k])[0, 1] > 0.95


def test_observed_factors_stay_and_latent_ones_are_turned_by_hand():
    G = beside_identified(np.array([[[0.0, 2.0], [4.0, 0.0]]]), 1)
    np.testing.assert_array_equal(G, [[[1, 0, 0], [0, 0, 2], [0, 4, 0]]])
    factors = rotate_factors(np.array([[[0.3, 0.1, 0.2]]]), G)
    np.testing.assert_array_equal(factors, [[[0.3, 0.8, 0.2]]])
    betas = rotate_betas(np.array([[[1.1, 8.0, 4.0]]]), G)
    np.testing.assert_array_equal(betas, [[[1.1, 1.0, 4.0]]])


def test_without_latent_factors_nothing_is_turned(rng):
    factors, betas = rng.normal(size=(40, 3)), rng.normal(size=(25, 3))
    basis = first_basis(month_ends(40), factors[:, 3:], betas[:, 3:])
    G = beside_identified(rotations_onto(basis, month_ends(40), factors[None, :, 3:]), 3)
    np.testing.assert_array_equal(G, [np.eye(3)])
    np.testing.assert_array_equal(rotate_betas(betas[None], G)[0], betas)
    np.testing.assert_array_equal(rotate_factors(factors[None], G)[0], factors)


def test_last_bits_do_not_depend_on_how_many_rows_follow(rng):
    G, betas = rng.normal(size=(5, 3, 3)), rng.normal(size=(5, 30, 3))
    for turn in (rotate_betas, rotate_factors):
        for stop in range(1, 30):
            np.testing.assert_array_equal(turn(betas[:, :stop], G), turn(betas, G)[:, :stop])
