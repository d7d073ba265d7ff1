"""How pandas reads floats bit for bit: from 3.1 on by itself, before when it is told."""

import pandas as pd

EXACT = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
