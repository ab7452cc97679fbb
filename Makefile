# The everyday commands. Each sets up what is missing first; that takes a moment when nothing is.
.PHONY: run serve test test-engines check format

CONFIG = pipeline_config.yaml
# Two processes, each file of tests in one of them: TensorFlow is imported, and each fixture made, once for a file.
PYTEST = -n 2 --dist loadfile --no-loadscope-reorder

run:
	@sh scripts/setup.sh runtime
	@.venv/bin/seqline demo -c $(CONFIG)

serve:
	@sh scripts/setup.sh runtime
	@.venv/bin/seqline serve -c $(CONFIG)

test:
	@sh scripts/setup.sh dev
	@sh scripts/airflow.sh 2 && sh scripts/airflow.sh 3 || echo "setup: no Airflow; tests of its DAGs will be skipped"
	.venv/bin/python -m pytest -q $(PYTEST)

# Real servers of other programs, one after another: many minutes.
test-engines:
	@sh scripts/setup.sh dev
	@sh scripts/airflow.sh 2
	@sh scripts/airflow.sh 3
	@sh scripts/postgres.sh
	.venv/bin/python -m pytest -v -m engines

check:
	@sh scripts/setup.sh dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format:
	@sh scripts/setup.sh dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
