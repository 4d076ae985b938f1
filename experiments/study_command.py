"""The command line of a study: which of its runs are made, where they are kept."""

import argparse
import itertools
import json
from collections.abc import Iterable
from pathlib import Path

from experiment import HOME, ROOT, add_out, read
from study import SPLITS, Plan, Run, Study, play, write_page
from study_judge import Judge

from keras_ijae.distributions.priors import FITTED

SMOKE, JUDGES = "digits", ROOT / "experiments" / "judges"


def main(study: Study, about: str, command: list[str] | None = None) -> None:
    """Does what the command line asks for; `about` is its help."""
    given = _parser(study, about).parse_args(command)
    results = given.out / f"{study.name}{'_smoke' if given.smoke else ''}.csv"
    if given.page:
        return write_page(study, read(results), results.with_suffix(".md"))
    runs = planned(study, given)
    if given.list:
        return print("\n".join(" ".join(filter(None, run.key)) for run in runs))
    classifier = given.classifier or JUDGES / f"{runs[0].dataset}.keras"
    judge = Judge.load(classifier, given.lpips)
    play(study, runs, results, judge, given.models or HOME / study.name)


def planned(study: Study, given: argparse.Namespace) -> list[Run]:
    """The runs that are asked for, each once, in the order of the study."""
    plans = [plan for name in given.experiments or study.experiments for plan in study.experiments[name]]
    named = given.systems or (["vae", "ae"] if given.fit_priors else None)
    plans = [plan for plan in plans if named is None or plan.system in named]
    if given.settings:
        systems = dict.fromkeys(plan.system for plan in plans)
        plans = [Plan(system, settings) for system, settings in itertools.product(systems, given.settings)]
    dataset, minutes = (SMOKE, 0.0) if given.smoke else (given.dataset, given.minutes)
    found = [
        Run(
            plan.system,
            json.dumps(plan.settings),
            prior,
            dataset,
            given.codes or plan.codes,
            seed,
            f"{minutes:g} minutes",
        )
        for plan, prior, seed in itertools.product(plans, given.fit_priors or [""], given.seeds)
    ]
    return list(dict.fromkeys(found))


def among(known: Iterable[str], text: str) -> list[str]:
    """Names, parted by commas, of some that are known."""
    names = text.split(",")
    if unknown := sorted(set(names) - set(known)):
        raise argparse.ArgumentTypeError(f"must be of {', '.join(known)}. Received: {', '.join(unknown)}")
    return names


def _parser(study, about):
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    systems = sorted({plan.system for plans in study.experiments.values() for plan in plans})
    these = lambda known: lambda text: among(known, text)  # noqa: E731
    parser.add_argument("--experiments", type=these(study.experiments), metavar="A,B", help="by default all")
    parser.add_argument("--systems", type=these(systems), metavar="A,B", help="by default all")
    parser.add_argument("--settings", type=json.loads, nargs="+", metavar="JSON", help="arguments, for those planned")
    parser.add_argument("--codes", type=int, help="their size, for the planned one")
    about = f"of {', '.join(FITTED)}, to the codes of trained models; by default of vae,ae"
    parser.add_argument("--fit-priors", type=these(FITTED), metavar="A,B", help=about)
    parser.add_argument("--dataset", choices=SPLITS, default=study.dataset)
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU time of a training (default: %(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of weights, order of the data and noise")
    parser.add_argument("--classifier", type=Path, help="the judge (default: experiments/judges/DATASET.keras)")
    parser.add_argument(
        "--lpips", type=Path, nargs=2, metavar=("HEADS", "BACKBONE"), help="files of LPIPS on a SqueezeNet: .pth, .npz"
    )
    parser.add_argument("--models", type=Path, help=f"where models are kept ({HOME / study.name})")
    parser.add_argument("--smoke", action="store_true", help="three steps of each, on digits")
    parser.add_argument("--list", action="store_true", help="only print the runs")
    parser.add_argument("--page", action="store_true", help="only write tables and pictures of finished runs")
    add_out(parser)
    return parser
