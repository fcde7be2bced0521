"""`make gpu`: what only a GPU can measure, where there is Python, JAX or torch, and no network.

Everything happens in a working folder that outlives a call (`cache/gpu`): a piece of minutes does
what is missing, in the order of `tasks`, and packs what it has for the way home (`parcel`).
"""
