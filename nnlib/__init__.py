"""nnlib: the mathematics of neural networks, as code that reads like its equations."""

__version__ = "0.1.0"
