"""Experts that a batch touches."""

import numpy as np
import pytest

from tokenecon.formulas import experts


@pytest.mark.source("jiang-2024", "8 experts, 2 a token")
def test_mixtral_touches_nearly_all_experts_at_batch_32():
    # 8 * (1 - 0.75^8) = 8 * 0.899887 = 7.1991 ; 8 * (1 - 0.75^32) = 7.9992
    touched = experts.experts_touched(experts=8, experts_per_token=2, batch=np.array([1, 8, 32]))
    assert touched == pytest.approx([2.0, 7.1991, 7.9992], abs=5e-5)


def test_bytes_read_follow_the_experts():
    # 3.2 + 90.2 * 2/8 = 25.75 GB; with every expert the whole model
    parts = {"common_bytes": 3.2e9, "expert_bytes": 90.2e9, "experts": 8}
    assert experts.weight_bytes_read(**parts, experts_touched=2) == pytest.approx(25.75e9)
    assert experts.weight_bytes_read(**parts, experts_touched=8) == pytest.approx(93.4e9)
