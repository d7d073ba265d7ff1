"""Tables put together: what pandas makes of the same parts."""

import numpy as np
import pandas as pd
import pytest

from diffcompare.tables.schema import labelled, stack

COLUMNS = {"scheme": "text", "h": "float", "order": "integer", "within_bound": "flag"}


def part(schemes, codes, flags):
    count = len(codes)
    return pd.DataFrame(
        {
            "scheme": labelled(np.array(codes, dtype=np.int8), schemes),
            "h": np.linspace(1.0, 0.1, count),
            "order": np.arange(count),
            "within_bound": pd.array(flags, dtype="boolean"),
        }
    )


@pytest.mark.parametrize("many", [3, 40])
def test_a_stack_is_what_pandas_makes_of_its_parts(many):
    # labels in another order, one that no row has, missing ones, and more than a byte can number
    first = part(["central", "forward", "unused"], [1, 0, -1], [True, None, False])
    second = part(["forward", *(f"s{k}" for k in range(5 * many))], [0, 4, 2, -1], [None] * 4)
    third = part(["s3", "central"], [1, 0], [False, True])
    for parts in ([first, second, third], [second, first], [first, first.iloc[:0], third]):
        found = stack(parts, COLUMNS)
        kept = [table for table in parts if len(table)]
        for column, kind in COLUMNS.items():
            own = [table[column] for table in kept]
            expected = pd.api.types.union_categoricals(own) if kind == "text" else pd.concat(own, ignore_index=True)
            pd.testing.assert_series_equal(found[column], pd.Series(expected, name=column))
