"""Year by year, what ten GRUs say of the sunspots that nobody had seen: the network and the rate that `nnlib.experiments.sunspots` chose."""

from nnlib.experiments.sunspots import network, parts
from nnlib.losses import mse
from nnlib.optimizers import Adam
from nnlib.search import grid_search
from nnlib.training import fit

SPACE = {"network": "GRU", "root": False, "lags": 9, "rate": 0.03}
YEARS = range(1956, 2009)


def objective(setting, seed):
    """The forecast of each test year, in sunspots."""
    name, lags, root = setting["network"], setting["lags"], setting["root"]
    (train, validation, (x, _)), in_sunspots = parts(name, lags, root)
    model = network(name, lags, seed)
    fit(model, mse, train, Adam(setting["rate"]), epochs=400, batch_size=32, seed=seed, validation=validation, patience=50, clip_norm=1.0)
    return {f"y{year}": round(float(said), 1) for year, said in zip(YEARS, in_sunspots(model(x))[:, 0], strict=True)}


def search(memory=None):
    return grid_search(objective, SPACE, seeds=10, memory=memory)


REPEATED = [(0, 0)]
TOLERANCE = {f"y{year}": 40 for year in YEARS}  # stopped early by 35 years: it may stop elsewhere on another processor
