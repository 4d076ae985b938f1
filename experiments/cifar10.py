"""CIFAR-10: at the size of published tables, for a GPU; and its first 4,000 images, for a CPU.

    python experiments/cifar10.py --precision mixed_float16 --lpips alex        # every system, 50,000 steps each
    python experiments/cifar10.py --systems vae,ijae --strategy mirrored --batch-size 256       # on all GPUs
    python experiments/cifar10.py --systems ijae --settings '{"lam": 0.1}' '{"lam": 1.0}'
    python experiments/cifar10.py --page                                        # tables and pictures of cifar10.md

    keras-ijae train-classifier --dataset npz:cifar10_first4000.npz --out runs/cifar10/classifier.keras
    python experiments/cifar10.py --small cifar10_first4000.npz --minutes 10 --features runs/cifar10/classifier.keras

    python experiments/cifar10.py --smoke --data npz:cifar10_first4000.npz --features runs/cifar10/classifier.keras

A run appends its row to cifar10.csv in --out (runs/experiments) when it ends; the same command again does what is not
finished, and goes on with a run that was killed at its last backup (a small run begins anew). Ctrl-C and SIGTERM end a
run after its step, with a backup. `--out docs` names the committed runs. --data and --small take any such set.

Protocol, before any run (docs/cifar10.md): residual networks of width 64 in every network that sees or gives images,
discriminators spectrally normalised, codes of 128, batches of 64, each system's own settings at a rate of 2e-4 of the
first move; 50,000 steps in whole passes over 45,000 training images, the last tenth being what validation looks at
meanwhile; the weights at the end, nothing selected. 50,000 samples against the statistics of all 50,000 training images
in the features of the Inception network of 2015, its score over 10 splits; reconstructions of the 10,000 test images,
which nothing else looks at. The small table has the same judgement at its own size, default networks (dcgan) and rates.
"""

import colour
from colour_runs import Setup

SETUP = Setup(
    "cifar10",
    "cifar10",
    latent_dim=128,
    systems=("vae", "two_stage_vae", "alpha_gan", "age", "svae", "svae_r", "flex_ae", "ijae"),
    small=("vae", "alpha_gan", "age", "svae_r", "flex_ae", "ijae"),
    every=5,
)


def main(command: list[str] | None = None) -> None:
    colour.main(SETUP, __doc__, command)


if __name__ == "__main__":
    main()
