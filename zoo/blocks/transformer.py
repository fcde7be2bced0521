"""What transformers are made of: layer normalisation, an MLP, attention, learned positions."""

import keras
from keras import layers, ops

EPSILON = 1e-5  # PyTorch's, with which the networks that use it were published


def layer_norm(x: keras.KerasTensor, *, name: str, affine: bool = True) -> keras.KerasTensor:
    """Normalise each position over its channels."""
    return layers.LayerNormalization(epsilon=EPSILON, center=affine, scale=affine, name=name)(x)


def mlp(x: keras.KerasTensor, hidden: int, *, name: str) -> keras.KerasTensor:
    """Widen each position's channels, GELU, narrow them again."""
    width = x.shape[-1]
    x = layers.Dense(hidden, name=f"{name}_widen")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    return layers.Dense(width, name=f"{name}_narrow")(x)


def fitting(width: int, heads: int) -> int:
    """Return a width that the heads divide, the nearest there is."""
    return heads * max(1, round(width / heads))


@keras.saving.register_keras_serializable("gliozoo")
class Attention(layers.Layer):
    """Let queries attend to keys and take of their values, a head at a time; without weights."""

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def call(self, query, pairs):
        """Attend: softmax(q k / sqrt(width)) v; keys and values stand side by side in `pairs`."""
        width = query.shape[-1]
        key, value = pairs[..., :width], pairs[..., width:]
        query, key, value = (self._heads(x) for x in (query, key, value))
        scores = ops.matmul(query * query.shape[-1] ** -0.5, ops.swapaxes(key, -1, -2))
        x = ops.swapaxes(ops.matmul(ops.softmax(scores), value), 1, 2)
        return ops.reshape(x, (-1, x.shape[1], width))

    def _heads(self, x):
        _, places, width = x.shape
        x = ops.reshape(x, (-1, places, self.heads, width // self.heads))
        return ops.swapaxes(x, 1, 2)

    def compute_output_shape(self, query_shape, pairs_shape):
        """Keep the queries' shape."""
        return query_shape

    def get_config(self):
        """Return the arguments of the constructor."""
        return super().get_config() | {"heads": self.heads}


@keras.saving.register_keras_serializable("gliozoo")
class Positions(layers.Layer):
    """Add a learned vector to each place."""

    def build(self, input_shape):
        """Make a vector a place."""
        initial = keras.initializers.TruncatedNormal(stddev=0.02)
        self.vectors = self.add_weight(
            name="vectors", shape=(1, *input_shape[1:]), initializer=initial
        )

    def call(self, x):
        """Add."""
        return x + ops.cast(self.vectors, x.dtype)

    def compute_output_shape(self, input_shape):
        """Keep the shape."""
        return input_shape


def tokens(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Put all places of an image in a row."""
    return layers.Reshape((-1, x.shape[-1]), name=name)(x)


def self_attention(
    x: keras.KerasTensor, heads: int, *, name: str, bias: bool = True
) -> keras.KerasTensor:
    """Let the places of a row attend to each other; `bias` is that of queries, keys, values."""
    width = x.shape[-1]
    joined = layers.Dense(3 * width, use_bias=bias, name=f"{name}_qkv")(x)
    x = Attention(heads, name=f"{name}_attend")(joined[..., :width], joined[..., width:])
    return layers.Dense(width, name=f"{name}_project")(x)
