"""gensim's side of `benchmarks.words.training`, for the Python of .venv-gensim: one job in, one answer out, as JSON."""

import json
import sys
import time
from typing import Any


def main() -> None:
    """Trains on texts whose words are cut already, and writes the vectors."""
    from gensim.models import Word2Vec

    job: dict[str, Any] = json.load(sys.stdin)
    with open(job["texts"], encoding="utf-8") as stream:
        texts = [line.split() for line in stream]
    model = Word2Vec(
        vector_size=job["embedding_dim"],
        window=job["window"],
        min_count=job["minimum_count"],
        sample=job["subsampling"],
        negative=job["negative_samples"],
        ns_exponent=job["noise_exponent"],
        sg=int(job["architecture"] == "skip_gram"),
        workers=job["workers"],
        seed=1,
    )
    model.build_vocab(texts)
    started, processor = time.perf_counter(), time.process_time()
    words, _ = model.train(texts, total_examples=model.corpus_count, epochs=job["epochs"])
    spent = {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - processor}
    model.wv.save_word2vec_format(job["vectors"], binary=True)
    json.dump(spent | {"trained_words": words, "vocabulary": len(model.wv)}, sys.stdout)


if __name__ == "__main__":
    main()
