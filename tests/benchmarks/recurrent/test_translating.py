"""An untrained model translates."""

from benchmarks.recurrent.translating import measure, random_texts, table
from benchmarks.recurrent.untrained import export_untrained, settings_of


def test_sentences_are_translated_in_requests_of_each_size(tmp_path):
    settings = settings_of(max_length=4)
    settings["model"] |= {"embedding_dim": 6, "hidden_dim": 8}
    export_untrained(tmp_path / "1", settings, pieces=20)
    result = measure(tmp_path / "1", random_texts(3), [1, 2], sentences=3, rounds=1, beam_width=2, threads=1)
    one, two = result["figures"]
    assert (one["samples"], two["samples"]) == (3, 2)
    assert one["per_second"] > 0 and two["per_second"] > 0
    facts = {"model": "tiny", "rounds": 1, "threads": 1, "processors": 2}
    assert "beam of 2, targets of 4 tokens" in table(facts | result)
