"""Networks that see a scan alike as one model, whose answer is their mean: one file holds them."""

from collections.abc import Sequence

import keras


def model_of(networks: Sequence[keras.Model]) -> keras.Model:
    """Return a model of the mean; of one network, that itself."""
    if len(networks) == 1:
        return networks[0]
    images = keras.Input(networks[0].input_shape[1:])
    for place, network in enumerate(networks):
        network.name = f"{network.name}_{place}"  # as layers of one model they need a name each
    answers = [network(images) for network in networks]
    return keras.Model(images, keras.layers.Average()(answers), name="mean")
