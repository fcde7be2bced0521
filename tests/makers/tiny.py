"""A data set and a network so small that a training takes seconds."""

import dataclasses

import keras
from keras import layers

import data_pipeline
from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

PROTOCOL = Protocol(
    name="tiny",
    data=DataSpec(
        size=(16, 16),
        batch_size=4,
        drop_last=True,
        slices="tumour",
        phantom=Cohort(patients=6, size=16),
    ),
    train=Training(epochs=4),
    evaluate=Evaluation(batch_size=8, surfaces=False),
)


def protocol(**training) -> Protocol:
    return dataclasses.replace(PROTOCOL, train=dataclasses.replace(PROTOCOL.train, **training))


def load(cache, spec: DataSpec = PROTOCOL.data, seed: int = 0) -> data_pipeline.Data:
    return data_pipeline.load(spec, seed, cache=cache, threads=1)


def network(seed: int = 0, channels: int = 3, dropout: float = 0.3) -> keras.Model:
    """Return a network with everything that a checkpoint has to keep: dropout, moving means."""
    keras.utils.set_random_seed(seed)
    image = x = layers.Input((16, 16, channels))
    x = layers.Conv2D(6, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(dropout)(layers.ReLU()(x))
    x = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(image, x)
