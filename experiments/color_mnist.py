"""α-GAN and what it is compared with, on digits in twelve colours: 120 modes that can be counted.

    python experiments/color_mnist.py                               # all
    python experiments/color_mnist.py --experiments systems
    python experiments/color_mnist.py --smoke                       # three steps of each on digits: does all work?
    python experiments/color_mnist.py --page                        # tables and picture of color_mnist.md

A run appends its row to color_mnist.csv in --out (runs/experiments) when it ends, and keeps its model in --models and a
picture of samples in --out; the same command again does what is not finished. Several processes may run at once, one on
a core. Protocol and results are in docs/color_mnist.md; `--out docs` names the committed runs.
"""

from pathlib import Path

import keras
import numpy as np
from experiment import stored
from study import SPLITS, Plan, Rows, Run, Study, label, picture
from study_command import main
from study_figures import draw_sheet
from study_judge import Judge

import keras_ijae as ki

ROWS, CRITIC_STEPS, SURE = 5000, 1000, 0.8
ALPHA = Plan("alpha_gan")
EXPERIMENTS = {
    "systems": [
        Plan("gan"),
        Plan("gan", {"preset": "paper", "networks": "dcgan"}),
        Plan("wgan_gp"),
        Plan("age"),
        ALPHA,
    ],
    "objectives of α-GAN": [ALPHA, Plan("alpha_gan", {"objective": "log_ratio"})],
    "α-GAN's encoder and the discriminator": [ALPHA, Plan("alpha_gan", {"encoder_sees_discriminator": True})],
}


def modes(judge: Judge, images: np.ndarray) -> dict[str, float]:
    """How many classes the classifier gives to an image with a probability of at least `SURE`, and how many images."""
    probabilities = judge.classifier.probabilities(images)
    seen = probabilities.argmax(axis=1)[probabilities.max(axis=1) >= SURE]
    return {"modes": len(np.unique(seen)), "sure": len(seen) / len(images)}


def judge(model: keras.Model, run: Run, x: np.ndarray, judge: Judge) -> dict[str, float]:
    """Modes and 1 - MS-SSIM of samples and of as many images, and an independent critic."""
    samples = model.sample(min(ROWS, len(x)), seed=0)
    train = stored(run.dataset, SPLITS[run.dataset][0])[: len(x)]
    critic = ki.evaluation.independent_critic(samples, train, x, CRITIC_STEPS if len(x) >= ROWS else 2, run.seed)
    found = modes(judge, samples) | {f"data_{name}": value for name, value in modes(judge, x).items()}
    found |= {"diversity": ki.metrics.ms_ssim_diversity(samples), "data_diversity": ki.metrics.ms_ssim_diversity(x)}
    return found | {"critic_validation": critic.validation, "critic_train": critic.train}


def draw(rows: Rows, pictures: Path, samples: Path) -> None:
    """Samples of all runs on one sheet."""
    data = samples / f"{rows[0]['dataset']}.png"
    drawn = {f"{label(row)}: {float(row['samples']):.3g}": picture(row, samples) for row in rows}
    draw_sheet({"held-out images": data} | drawn, pictures / "color_mnist-samples.png")


FURTHER = (
    "modes",
    "data_modes",
    "sure",
    "data_sure",
    "diversity",
    "data_diversity",
    "critic_validation",
    "critic_train",
)
STUDY = Study("color_mnist", EXPERIMENTS, draw, FURTHER, judge, "color_mnist")

if __name__ == "__main__":
    main(STUDY, __doc__)
