"""CelebA at the size of published tables, for a GPU.

    python experiments/celeb_a.py --precision mixed_float16 --lpips alex
    python experiments/celeb_a.py --systems alpha_gan --strategy mirrored --batch-size 256
    python experiments/celeb_a.py --smoke --data folder:DIR --features classifier.keras
    python experiments/celeb_a.py --page                            # tables and pictures of celeb_a.md

Rows go to celeb_a.csv in --out; the same command again does what is not finished, and goes on with a run that was
killed.

Protocol, before any run (docs/celeb_a.md): that of cifar10.py on 64 x 64 pixels, cut from the aligned images as WAE
does ("closecrop140"; --data takes the largest central square), codes of 64. The 162,770 training images are trained on,
and samples are compared with their statistics; validation looks at the validation images meanwhile, and nothing is
selected by them; reconstructions are of the 19,962 test images.
"""

import colour
from colour_runs import Setup

SETUP = Setup(
    "celeb_a",
    "celeb_a",
    latent_dim=64,
    systems=("gan", "wgan_gp", "age", "alpha_gan", "mask_aae", "flex_ae"),
    data={"size": 64},
)


def main(command: list[str] | None = None) -> None:
    colour.main(SETUP, __doc__, command)


if __name__ == "__main__":
    main()
