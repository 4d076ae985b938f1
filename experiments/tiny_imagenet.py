"""Tiny ImageNet at the size of published tables, for a GPU.

    python experiments/tiny_imagenet.py --data tiny_imagenet:DIR --precision mixed_float16 --lpips alex
    python experiments/tiny_imagenet.py --data tiny_imagenet:DIR --systems ijae --strategy mirrored --batch-size 256
    python experiments/tiny_imagenet.py --smoke --data folder:DIR --features classifier.keras
    python experiments/tiny_imagenet.py --page                      # tables and pictures of tiny_imagenet.md

DIR is the unzipped tiny-imagenet-200. Rows go to tiny_imagenet.csv in --out; the same command again does what is not
finished, and goes on with a run that was killed.

Protocol, before any run (docs/tiny_imagenet.md): that of cifar10.py on 64 x 64 pixels. All 100,000 training images are
trained on, and samples are compared with their statistics; validation looks at the 10,000 validation images meanwhile,
and nothing is selected by them; reconstructions are of the 10,000 test images, which have no labels and need none.
"""

import colour
from colour_runs import Setup

SETUP = Setup(
    "tiny_imagenet",
    "tiny_imagenet:tiny-imagenet-200",
    latent_dim=128,
    systems=("two_stage_vae", "age", "svae", "ijae"),
    every=2,
)


def main(command: list[str] | None = None) -> None:
    colour.main(SETUP, __doc__, command)


if __name__ == "__main__":
    main()
