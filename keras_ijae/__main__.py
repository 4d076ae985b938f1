"""`python -m keras_ijae` is the command `keras-ijae`."""

from keras_ijae_cli import main

if __name__ == "__main__":
    main()
