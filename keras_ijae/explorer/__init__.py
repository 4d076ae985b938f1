"""A trained model in the browser, to be looked at and steered. It needs Dash (the extra `explore`) and is not imported
with the package:

    from keras_ijae.explorer import Space, listening

    with listening(Space(model, images, labels), port=8050) as server:
        print(server.url)
        server.serve()
"""

from keras_ijae.explorer.serving import Server, listening
from keras_ijae.explorer.space import Space

__all__ = ["Server", "Space", "listening"]
