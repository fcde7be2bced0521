"""`make gpu`: what only a GPU can measure, where there is Python, JAX or torch, and no network.

A piece is a call of some minutes. It takes the `tasks` that are outstanding, stage by stage
(`piece`): the trainings of several networks at once, in processes that share the card (`crew`, each
a `member`), their epochs sized by a measured moment (`sizing`); then profiles, one after the other,
in the processes that have the network already. Everything happens in a working folder that outlives
a call (`cache/gpu`), and what is found is packed for the way home as it comes (`parcel`).
"""
