from pipeline.config.reference import reference_text


def row(key: str, after: str = "") -> str:
    """The line of a key, the first one after some text."""
    text = reference_text().partition(after)[2] if after else reference_text()
    return next(line for line in text.splitlines() if line.startswith(f"| `{key}` |"))


def test_a_restricted_key_and_a_restricted_section_say_where_they_have_a_use() -> None:
    assert "Only: task audio_generation. |" in row("training.chunk_length")
    assert "Only: with optimizer adamw. |" in row("training.weight_decay")
    assert "\nHow text is generated. Only: tasks text_to_text, language_modeling.\n" in reference_text()
    assert "Only: with unit word or wordpiece or sentencepiece or character. |" in row("tokenizer.vocabulary_size")
    assert "Only:" not in row("training.epochs")


def test_of_a_model_only_the_tasks_count_that_its_architecture_solves() -> None:
    assert (
        "Solves text_classification, masked_language_modeling, sequence_labeling, audio_classification.\n"
        in reference_text()
    )
    texts = "Only: tasks text_classification, masked_language_modeling, sequence_labeling. |"
    assert texts in row("model.embedding_dim", "architecture gated_conv")
    one_class = "Only: tasks text_classification, audio_classification. |"
    assert one_class in row("model.pooling", "architecture gated_conv")
    # Nothing that it solves does without.
    assert "Only:" not in row("model.dropout", "architecture gated_conv")


def test_the_architecture_stands_first_and_the_data_before_other_sections() -> None:
    text = reference_text()
    for section in text.split("\n## model, ")[1:]:
        assert section.split("|---|---|---|---|\n")[1].startswith("| `model.architecture` |")
    assert text.split("\n## ")[2].startswith("data\n")
