"""Busy time divided among kinds of token: sums written out, and nothing left over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenecon.formulas import allocation


def test_cost_of_half_a_second_on_eight_gpus():
    # 8 GPUs at 2.5 USD/h are 20 USD/h; 0.5 s are 20/7200 USD; for 400 tokens, half of the time paid for nothing:
    # 20/7200 / 400 * 1e6 / 0.5 = 13.888...
    cost = allocation.usd_per_mtok_of_seconds(usd_per_gpu_hour=2.5, gpus=8, busy_s=0.5, tok=400, utilisation=0.5)
    assert cost == pytest.approx(20 / 7200 / 400 * 1e6 / 0.5) == pytest.approx(13.8889, abs=1e-4)


seconds = st.floats(1e-3, 100)


@given(prefill=seconds, decode=seconds, attended=st.floats(0, 1), read=st.floats(0, 1), isl=st.floats(1, 1e5),
       osl=st.floats(1, 1e4), cached=st.floats(0, 0.99))
def test_the_parts_are_the_whole_and_none_is_negative(prefill, decode, attended, read, isl, osl, cached):
    lengths = {"context_positions": isl + osl / 2, "cache_read_s": read * decode}
    parts = (
        allocation.input_seconds(prefill_s=prefill, prefix_attention_s=attended * prefill, new_positions=isl * (1 - cached),
                                 **lengths),
        allocation.cached_seconds(prefix_attention_s=attended * prefill, cached_positions=isl * cached, **lengths),
        allocation.output_seconds(decode_s=decode, prompt_positions=isl, **lengths))
    assert sum(parts) == pytest.approx(prefill + decode, rel=1e-9)
    assert min(parts) >= -1e-9 * (prefill + decode)
