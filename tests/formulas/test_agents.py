"""Tokens of a task, turn by turn."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from tokenecon.formulas.agents import cached_tok_per_task, prompt_tok_per_task


@given(first=st.integers(1, 9000), added=st.integers(0, 3000), answer=st.integers(1, 900), turns=st.integers(1, 60))
def test_prompts_and_what_was_sent_before_are_those_of_a_loop_over_the_turns(first, added, answer, turns):
    prompt, prompts, before = first, 0, 0
    for _ in range(turns):
        prompts += prompt
        before += prompt + answer  # what the next turn begins with
        prompt += answer + added
    before -= prompt - added  # after the last turn none follows
    found = prompt_tok_per_task(first_tok=first, added_tok=added, answer_tok=answer, turns=turns)
    assert found == prompts
    held = cached_tok_per_task(prompt_tok=prompts, first_tok=first, added_tok=added, turns=turns, held_share=0.7,
                               resent_share=0.2)
    assert held == approx(0.7 * (before + 0.2 * prompts))


def test_a_single_turn_finds_nothing_in_the_cache():
    assert cached_tok_per_task(prompt_tok=6000, first_tok=6000, added_tok=800, turns=1, held_share=0.95, resent_share=0.0) == 0
