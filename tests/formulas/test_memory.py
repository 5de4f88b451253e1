"""Weights and what fits: every expected value is worked out beside it."""

import numpy as np
import pytest

from tokenecon.formulas import memory


def test_70b_at_16_bit_takes_140_gb():
    # 70e9 parameters * 2 bytes
    assert memory.weight_bytes(parameters=70e9, bytes_per_param=2.0) == 1.4e11


def test_four_bits_in_groups_of_128_are_4_156_bits():
    # 4 + (16-bit scale + 4-bit zero point) / 128 = 4.15625 ; 70e9 * 4.15625 / 8 = 36.37 GB
    bits = memory.effective_bits(value_bits=4, scale_bits=16, zero_bits=4, group_size=128)
    assert bits == pytest.approx(4 + 20 / 128)
    size = memory.weight_bytes(parameters=70e9, bytes_per_param=memory.bytes_per_param(bits_per_param=bits))
    assert size / 1e9 == pytest.approx(36.37, abs=0.005)


@pytest.mark.source("ocp-mx-2023", "MXFP4: 32 values share an 8-bit scale")
def test_mxfp4_is_4_25_bits():
    assert memory.effective_bits(value_bits=4, scale_bits=8, zero_bits=0, group_size=32) == 4.25


@pytest.mark.parametrize(
    ("parameters", "least", "usual"),
    [(7e9, 1, 1), (70e9, 2, 2), (175e9, 5, 8)],  # 14/80, 140/80, 350/80 rounded up; then powers of two
)
def test_gpus_for_the_three_sizes(parameters, least, usual):
    n_gpus = memory.gpus_to_hold(
        bytes_needed=parameters * 2, memory_bytes_per_gpu=80e9, usable_fraction=1.0, gpus_per_step=1
    )
    assert n_gpus == least
    assert memory.parallel_size(n_gpus=n_gpus, smallest_group=1) == usual


def test_gpus_come_in_whole_servers():
    # 1342 GB of weights over 8 * 80 GB * 0.9 = 576 GB a server: 2.33, so 3 servers
    n_gpus = memory.gpus_to_hold(
        bytes_needed=1342e9, memory_bytes_per_gpu=80e9, usable_fraction=0.9, gpus_per_step=8
    )
    assert n_gpus == 24


def test_an_exact_fit_fits():
    # 3 GPUs of 0.7 * 1 make 2.1, but in floating point 2.1 / 0.7 is 3.0000000000000004
    n_gpus = memory.gpus_to_hold(
        bytes_needed=2.1, memory_bytes_per_gpu=1.0, usable_fraction=0.7, gpus_per_step=1
    )
    assert 2.1 / 0.7 > 3
    assert n_gpus == 3


def test_parallel_size_keeps_powers_of_two():
    for power in range(0, 40):
        assert memory.parallel_size(n_gpus=2.0**power, smallest_group=1) == 2.0**power
    assert memory.parallel_size(n_gpus=9, smallest_group=3) == 12


@pytest.mark.source("kwon-2023", "batch ceiling as the memory left for the cache")
@pytest.mark.parametrize(
    ("n_gpus", "bytes_per_param", "expected"),
    [
        (2, 2.0, 6.104),  # (144 - 140) GB / 0.65536 GB
        (2, 4.15625 / 8, 164.2),  # (144 - 36.367) / 0.65536
        (4, 2.0, 225.8),  # (288 - 140) / 0.65536
    ],
)
def test_batch_ceiling_at_2000_positions(n_gpus, bytes_per_param, expected):
    ceiling = memory.batch_ceiling(
        usable_bytes=memory.usable_bytes(memory_bytes_per_gpu=80e9, usable_fraction=0.9, n_gpus=n_gpus),
        weight_bytes=70e9 * bytes_per_param,
        activation_bytes=0.0,
        kv_waste=0.0,
        kv_bytes_per_sequence=327_680 * 2000,
    )
    assert ceiling == pytest.approx(expected, rel=5e-4)


def test_activations_and_waste_lower_the_ceiling():
    # (100 - 40 - 10) * (1 - 0.2) / 4 = 10
    ceiling = memory.batch_ceiling(
        usable_bytes=100.0, weight_bytes=40.0, activation_bytes=10.0, kv_waste=0.2, kv_bytes_per_sequence=4.0
    )
    assert ceiling == pytest.approx(10.0)


def test_a_model_that_does_not_fit_has_no_batch():
    ceiling = memory.batch_ceiling(
        usable_bytes=np.array([72e9, 144e9]),
        weight_bytes=140e9,
        activation_bytes=0.0,
        kv_waste=0.0,
        kv_bytes_per_sequence=0.65536e9,
    )
    assert ceiling == pytest.approx([0.0, 4 / 0.65536])


@pytest.mark.source("vllm-context-10517", "blocks at 20,000 and at 29,000 profiled tokens")
def test_a_longer_profile_takes_what_two_logs_differ_by():
    # 3.81 GiB of cache at 20,000 tokens and 2.89 at 29,000: 0.92 GiB; 9000 * 2 B * (2 * 14336 + 6 * 4096) = 0.89 GiB
    shape = {"hidden_size": 4096, "ffn_size": 14336, "bytes_per_value": 2.0}
    taken = [memory.forward_bytes(tokens=tokens, **shape) for tokens in (20e3, 29e3)]
    assert (taken[1] - taken[0]) / 2**30 == pytest.approx(3.81 - 2.89, rel=0.05)


@pytest.mark.source("llmd-memory-results", "activations of five models in one release")
@pytest.mark.parametrize(("vocab", "hidden", "gib"), [
    (128256, 4096, 4.76), (128256, 8192, 4.84), (151936, 1024, 5.56), (151936, 5120, 5.64), (201088, 2880, 7.38)])
def test_logits_explain_the_activations_of_five_models(vocab, hidden, gib):
    found = memory.sampler_bytes(sequences=1024, vocab=vocab, copies=9.5, bytes_per_logit=4.0, tokens=8192, hidden_size=hidden,
                                 bytes_per_value=2.0)
    assert found / 2**30 == pytest.approx(gib, rel=0.01)


@pytest.mark.source("llmd-accuracy-0.19", "activations of mixtures: 2.68, 2.47 and 1.93 GiB")
@pytest.mark.parametrize(("vocab", "experts", "size", "gib"), [
    (151936, 8, 768, 2.68), (151936, 4, 1408, 2.47), (102400, 6, 1408, 1.93)])  # Qwen3 30B, Qwen1.5 MoE, DeepSeek-V2-Lite
def test_buffers_of_experts_stand_beside_the_logits(vocab, experts, size, gib):
    logits = memory.sampler_bytes(sequences=1024, vocab=vocab, copies=3.7, bytes_per_logit=4.0, tokens=8192, hidden_size=2048,
                                  bytes_per_value=2.0)
    buffers = memory.expert_workspace_bytes(tokens=8192, experts_per_token=experts, hidden_size=2048, expert_size=size,
                                            bytes_per_value=2.0)
    assert (logits + buffers) / 2**30 == pytest.approx(gib, rel=0.02)


def test_a_share_of_the_whole_is_less_than_a_share_of_the_rest():
    # 0.9 * 80 - 45 = 27 ; 0.9 * (80 - 45) = 31.5 ; weights of 90 leave nothing
    assert memory.cache_pool_bytes(memory_bytes=80.0, share=0.9, taken_before_bytes=0.0, taken_after_bytes=45.0) == 27.0
    assert memory.cache_pool_bytes(memory_bytes=80.0, share=0.9, taken_before_bytes=45.0, taken_after_bytes=0.0) == 31.5
    assert memory.cache_pool_bytes(memory_bytes=80.0, share=0.9, taken_before_bytes=0.0, taken_after_bytes=90.0) == 0.0


def test_a_short_sequence_holds_no_more_than_its_length():
    # 100 positions within a window of 1000: 1e9 / (100 * (10e3 + 100e3)) = 90.9, and no chunk beside
    held = memory.sequences_in_pool(pool_bytes=1e9, positions=100.0, full_bytes_per_position=10e3,
                                    window_bytes_per_position=100e3, window=1000.0, chunk=8192.0, state_bytes=0.0)
    assert held == pytest.approx(1e9 / (100 * 110e3))
