"""The systems' order by their samples, beside the order that the papers' tables give them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from experiment import print_table, printed
from scipy import stats
from study import label

HEADING, RESAMPLES = "## Ranks beside the papers'", 9999


class Table(NamedTuple):
    """A paper's numbers by the label of a run here; the least is the best, or the greatest."""

    about: str
    column: str
    numbers: Mapping[str, float]
    greatest: bool = False


FLEX_AE = "Mondal et al. 2021 (FlexAE), MNIST"
IJAE = "Alanov et al. 2019 (λ-IJAE), CIFAR-10"
FLOW = "flow_vae posterior=iaf prior=normal free_bits=8.0"
"""What the papers call VAE + flow, as far as they say."""
TABLES = (
    Table(
        f"{FLEX_AE}, samples",
        "samples",
        {
            "vae": 57.04,
            "beta_vae": 24.31,
            "vamp_vae": 49.75,
            "iop_vae": 32.61,
            "ae_gmm": 12.14,
            "rae_gmm": 7.30,
            FLOW: 20.17,
            "injflow_ln": 35.96,
            "injflow_ln + gmm": 9.93,
            "mask_aae": 10.52,
            "flex_ae": 4.69,
        },
    ),
    Table(
        f"{FLEX_AE}, reconstructions",
        "reconstructions",
        {
            "vae": 65.10,
            "beta_vae": 7.91,
            "vamp_vae": 11.01,
            "iop_vae": 8.01,
            "ae_gmm": 8.69,
            "rae_gmm": 6.15,
            FLOW: 8.62,
            "injflow_ln": 7.40,
            "mask_aae": 8.46,
            "flex_ae": 4.33,
        },
    ),
    Table(
        "Mondal et al. 2020 (MaskAAE), MNIST, samples; its VAE with cross-entropy, as here",
        "samples",
        {
            "vae": 16.6,
            FLOW: 54.8,
            "two_stage_vae": 12.6,
            "wae_mmd": 115.0,
            "wae_gan": 12.4,
            "mask_aae": 10.5,
        },
    ),
    Table(
        f"{IJAE}, samples; its WAE is of a kind that it does not say",
        "samples",
        {
            "vae preset=resnet": 150.3,
            "two_stage_vae": 94.53,
            "wae_mmd": 87.7,
            "alpha_gan": 54.98,
            "svae": 44.73,
            "age": 39.13,
            "ijae": 29.46,
        },
    ),
    Table(
        f"{IJAE}, Inception score; here that of the classifier's classes",
        "score",
        {
            "vae preset=resnet": 3.45,
            "two_stage_vae": 3.85,
            "wae_mmd": 4.18,
            "alpha_gan": 5.20,
            "ali": 5.34,
            "age": 5.90,
            "alice": 6.02,
            "as_vae": 6.3,
            "svae": 6.56,
            "ijae": 6.98,
        },
        greatest=True,
    ),
    Table(
        f"{IJAE}, LPIPS of reconstructions",
        "lpips",
        {
            "vae preset=resnet": 0.09,
            "two_stage_vae": 0.06,
            "alpha_gan": 0.04,
            "svae": 0.19,
            "age": 0.06,
            "ijae": 0.07,
        },
    ),
)


class Agreement(NamedTuple):
    """Spearman's rank correlation, its 95 % interval, and how often chance gives one as great."""

    rho: float
    low: float
    high: float
    chance: float


def agreement(theirs: Sequence[float], ours: Sequence[float], seed: int = 0) -> Agreement:
    """How alike two orders of the same systems are.

    The interval is the bootstrap's, by percentiles over systems drawn with replacement; draws in which all are one
    system have no correlation and are left out. Chance is a permutation test, one-sided.
    """
    pairs, rng = np.stack([theirs, ours], axis=1), np.random.default_rng(seed)
    drawn = [pairs[rng.integers(len(pairs), size=len(pairs))] for _ in range(RESAMPLES)]
    drawn = [_rho(*some.T) for some in drawn if len(np.unique(some[:, 0])) > 1 and len(np.unique(some[:, 1])) > 1]
    chance = stats.permutation_test(
        (theirs,),
        lambda x: _rho(x, ours),
        permutation_type="pairings",
        alternative="greater",
        n_resamples=RESAMPLES,
        rng=rng,
    )
    return Agreement(_rho(theirs, ours), *np.percentile(drawn, [2.5, 97.5]), chance.pvalue)


def in_words(share: float) -> str:
    """A share of random orders: of so few that were drawn, a thousandth is the least that can be told."""
    return "fewer than 0.1%" if share < 0.001 else f"{share:.1%}"


def _rho(a, b):
    return stats.spearmanr(a, b).statistic


def section(rows: Sequence[Mapping[str, str]], tables: Sequence[Table] = TABLES) -> str:
    """Of the page: a table for each of the papers' that has three or more systems here, and how alike the orders are.

    Args:
        rows: runs that ended, one for each system and settings, on one data set.
    """
    return printed(lambda: [_print(rows, table) for table in tables])


def _print(rows, table):
    rows = [row for row in rows if row[table.column]]
    found = {label(row): float(row[table.column]) for row in rows}
    here = {name: found[name] for name in table.numbers if name in found}
    if len(here) < 3:
        return
    theirs, ours, sign = [table.numbers[name] for name in here], list(here.values()), -1 if table.greatest else 1
    found = agreement(theirs, ours)
    print(
        f"\n{table.about}. Rank correlation {found.rho:.2f}, 95 % of resampled systems between {found.low:.2f} and "
        f"{found.high:.2f}; chance gives as much in {in_words(found.chance)} of orders.\n"
    )
    if missing := [name for name in table.numbers if name not in here]:
        print(f"Not run here: {', '.join(missing)}.\n")
    ranks = [stats.rankdata(sign * np.array(numbers)) for numbers in (theirs, ours)]
    ranks = zip(here, theirs, ranks[0], ours, ranks[1], strict=True)
    lines = [[name, f"{their:g}", f"{a:g}", f"{our:.3g}", f"{b:g}"] for name, their, a, our, b in ranks]
    print_table(["system", "theirs", "rank", "here", "rank here"], sorted(lines, key=lambda line: float(line[2])))
