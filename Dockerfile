# Seqline in a container: `docker build -t seqline .`, then for example
#   docker run --rm -v "$PWD/outputs:/seqline/outputs" seqline demo
#   docker run --rm -v "$PWD/outputs:/seqline/outputs" -p 8500:8500 seqline serve --set serving.host=0.0.0.0
# The base has glibc 2.41, so the set-up script adds no C library of its own.
FROM python:3.12-slim-trixie

WORKDIR /seqline
COPY pyproject.toml README.md ./
COPY locks locks
COPY scripts scripts
COPY models models
COPY components components
COPY serving serving
COPY pipeline pipeline
COPY configs configs
COPY pipeline_config.yaml ./
RUN sh scripts/setup.sh runtime

EXPOSE 8500 8501
ENTRYPOINT [".venv/bin/seqline"]
CMD ["--help"]
