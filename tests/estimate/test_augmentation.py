"""Turns, shifts and thinning against NumPy; new photons against their rates."""

import math

import numpy as np
import pytest
import torch

from icmass.estimate.augmentation import N_TURNS, Augmentation, turned
from icmass.estimate.estimator import tensors
from icmass.estimate.reading import Clusters
from tests.helpers.stats import Z_MAX, assert_chi_square, chi_square

N = 6
EXPOSURE = torch.full((N,), 1600.0)


def clusters(seed: int = 1, side: int = 8, cells: int = 4, rates: bool = False) -> Clusters:
    """Return clusters whose cube is that of the image, with velocity layers that differ."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(5.0, (N, 2, side, side)).astype(np.uint16)
    step = side // cells
    plane = counts[:, 0].reshape(N, cells, step, cells, step).sum(axis=(2, 4))
    cube = plane[:, None] * np.arange(1.0, cells + 1.0)[:, None, None]
    expected = rng.uniform(0.2, 3.0, (N, 3, 2, side, side)).astype(np.float32)
    return tensors(
        Clusters(
            np.zeros_like(counts) if rates else counts,
            np.log(np.full((N, 2), 1600.0)).astype(np.float32),
            rng.uniform(0.1, 0.4, N).astype(np.float32),
            cube.astype(np.float32),
            expected if rates else np.empty((N, 0), np.float32),
        )
    )


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_all_turns_are_exact_and_distinct() -> None:
    given = clusters()
    seen = [turned(given, turn) for turn in range(N_TURNS)]
    for turn, one in enumerate(seen):
        expected = np.rot90(given.counts.numpy(), turn % 4, (-2, -1))
        expected = expected[..., ::-1] if turn >= 4 else expected
        np.testing.assert_array_equal(one.counts.numpy(), expected)
        # The cube goes with the image, and its layers stay in their order.
        layer = one.cube[:, 2].numpy() / 3.0
        plane = one.counts[:, 0].float().numpy().reshape(N, 4, 2, 4, 2).sum(axis=(2, 4))
        np.testing.assert_array_equal(layer, plane)
    pictures = {one.counts.float().numpy().tobytes() for one in seen}
    assert len(pictures) == N_TURNS


def test_every_turn_is_drawn() -> None:
    given, drawn = clusters(), np.zeros(N_TURNS)
    pictures = [turned(given, turn).counts.float() for turn in range(N_TURNS)]
    random = generator()
    for _ in range(1600):
        found = Augmentation()(given, EXPOSURE, random).counts.float()
        drawn[[torch.equal(found, picture) for picture in pictures].index(True)] += 1
    assert_chi_square(drawn, np.full(N_TURNS, 200.0))
    assert chi_square(np.roll(drawn, 1) * [0, 2, 1, 1, 1, 1, 1, 1], np.full(8, 200.0)).z > Z_MAX


def test_without_anything_nothing_changes() -> None:
    given = clusters()
    found = Augmentation(turns=False)(given, EXPOSURE, generator())
    for one, other in zip(found, given, strict=True):
        assert torch.equal(one, other)


def test_shifts_lose_what_leaves() -> None:
    given, most = clusters(), 2
    counts = given.counts.float().numpy()
    padded = np.pad(counts, ((0, 0), (0, 0), (most, most), (most, most)))
    cube = np.pad(given.cube.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    random, steps = generator(), set()
    for _ in range(200):
        found = Augmentation(turns=False, shift_pixels=most)(given, EXPOSURE, random)
        matches = [
            (down, right)
            for down in range(-most, most + 1)
            for right in range(-most, most + 1)
            if np.array_equal(
                found.counts.numpy(),
                padded[..., most - down : most - down + 8, most - right : most - right + 8],
            )
        ]
        assert len(matches) == 1
        down, right = matches[0]
        steps.add(matches[0])
        y, x = 1 - round(down / 2), 1 - round(right / 2)
        np.testing.assert_array_equal(found.cube.numpy(), cube[..., y : y + 4, x : x + 4])
    assert len(steps) == 25


def total(augmentation: Augmentation, given: Clusters, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of counts and of kept parts over draws."""
    random, counts, kept = generator(3), 0.0, np.zeros(N)
    for _ in range(draws):
        found = augmentation(given, EXPOSURE, random)
        counts = counts + found.counts.double().numpy()
        kept += np.exp(found.scalars[:, 1].double().numpy()) / 1600.0
    return counts, kept


def test_thinning_keeps_its_part_and_says_so() -> None:
    given, draws = clusters(), 400
    augmentation = Augmentation(False, 0, (200.0, 1600.0), (1,))
    counts, kept = total(augmentation, given, draws)
    full = given.counts.double().numpy()
    expected = (full.sum(axis=(1, 2, 3)) * kept).sum()
    z = (counts.sum() - expected) / math.sqrt(expected)
    assert abs(z) < Z_MAX
    assert abs(counts.sum() - 1.02 * expected) / math.sqrt(expected) > Z_MAX  # 2% would be seen
    assert kept.sum() / draws / N == pytest.approx((1 - 1 / 8) / math.log(8), rel=0.03)
    found = augmentation(given, EXPOSURE, generator())
    assert torch.equal(found.scalars[:, 0], given.scalars[:, 0])
    assert (found.counts <= given.counts.float()).all()
    assert len(found.scalars[:, 1].unique()) == N


def test_thinning_never_adds_exposure() -> None:
    given = clusters()
    found = Augmentation(False, 0, (3000.0, 3200.0), (1,))(given, EXPOSURE, generator())
    assert torch.equal(found.counts, given.counts.float())
    assert torch.equal(found.scalars, given.scalars)


def test_photons_drawn_anew_follow_their_rates() -> None:
    given, draws = clusters(rates=True), 300
    counts, _ = total(Augmentation(turns=False), given, draws)
    rates = given.rates.double().sum(dim=1).numpy()
    assert_chi_square(counts, rates * draws)
    assert chi_square(counts, np.roll(rates, 1, axis=-1) * draws).z > Z_MAX
    found = Augmentation(turns=False)(given, EXPOSURE, generator())
    assert found.rates.numel() == 0


def test_origins_turn_by_themselves_but_the_first() -> None:
    given = clusters(rates=True)
    counts, random = 0.0, generator(1)
    draws = 2000
    augmentation = Augmentation(turns=True)
    for _ in range(draws):  # without the turn of the whole, to look at the origins
        counts = counts + augmentation._drawn_anew(given, EXPOSURE, random).counts.double().numpy()
    rates = given.rates.double().numpy()
    turns = [np.rot90(rates[:, 1:], k, (-2, -1)) for k in range(4)]
    turns += [one[..., ::-1] for one in turns]
    expected = rates[:, 0] + np.mean(turns, axis=0).sum(axis=1)
    pixels = counts.size
    # Which turns come adds to the scatter of pixels, but not to that of their sum.
    scatter = math.sqrt(float((expected * draws).sum()))
    assert abs(counts.sum() - expected.sum() * draws) / scatter < Z_MAX
    variance = expected * draws + draws * np.var(turns, axis=0).sum(axis=1)
    value = float(((counts - expected * draws) ** 2 / variance).sum())
    assert abs(value - pixels) / math.sqrt(2.0 * pixels) < Z_MAX
    fixed = float(((counts - rates.sum(axis=1) * draws) ** 2 / variance).sum())
    assert (fixed - pixels) / math.sqrt(2.0 * pixels) > Z_MAX


@pytest.mark.parametrize("rates", [False, True])
def test_one_seed_one_result(rates: bool) -> None:
    augmentation = Augmentation(True, 1, (200.0, 1600.0), (1,))
    one, same, other = (
        augmentation(clusters(rates=rates), EXPOSURE, generator(k)) for k in (5, 5, 6)
    )
    for part, again in zip(one, same, strict=True):
        assert torch.equal(part, again)
    assert not torch.equal(one.counts, other.counts)
