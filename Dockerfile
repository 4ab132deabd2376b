# syntax=docker/dockerfile:1
# Three images from one file: `--target serve` (no trainer inside), `--target worker` (the same with
# the archiver's parquet writer) and `--target train`.
# BASE may be pinned by digest: --build-arg BASE=python:3.11-slim-bookworm@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS wheel
WORKDIR /source
COPY deploy/locks/build.txt deploy/locks/build.txt
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary=:all: -r deploy/locks/build.txt
COPY pyproject.toml README.md ./
COPY embeddings embeddings
COPY training training
COPY recsvc recsvc
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation -w /wheels .

FROM ${BASE} AS serve-env
COPY deploy/locks/serve.txt /locks/serve.txt
RUN python -m venv /opt/recsvc \
 && /opt/recsvc/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary=:all: -r /locks/serve.txt
COPY --from=wheel /wheels /wheels
RUN /opt/recsvc/bin/pip install --no-cache-dir --no-deps /wheels/*.whl \
 && rm -rf /opt/recsvc/lib/python3.11/site-packages/training /opt/recsvc/bin/recsvc-train

FROM ${BASE} AS worker-env
COPY deploy/locks/worker.txt /locks/worker.txt
RUN python -m venv /opt/recsvc \
 && /opt/recsvc/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary=:all: -r /locks/worker.txt
COPY --from=wheel /wheels /wheels
RUN /opt/recsvc/bin/pip install --no-cache-dir --no-deps /wheels/*.whl \
 && rm -rf /opt/recsvc/lib/python3.11/site-packages/training /opt/recsvc/bin/recsvc-train

FROM ${BASE} AS train-env
COPY deploy/locks/train.txt /locks/train.txt
RUN python -m venv /opt/recsvc \
 && /opt/recsvc/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary=:all: -r /locks/train.txt
COPY --from=wheel /wheels /wheels
RUN /opt/recsvc/bin/pip install --no-cache-dir --no-deps /wheels/*.whl \
 && rm -rf /opt/recsvc/lib/python3.11/site-packages/recsvc /opt/recsvc/bin/recsvc

FROM ${BASE} AS base
LABEL org.opencontainers.image.title="recsvc" \
      org.opencontainers.image.description="Recommends card benefits and merchant offers to cardholders"
ENV PATH=/opt/recsvc/bin:$PATH \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    RECSVC_SHELF=/var/lib/recsvc/shelf
RUN groupadd --gid 10001 recsvc \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin recsvc \
 && install -d -o recsvc -g recsvc /var/lib/recsvc/shelf
WORKDIR /var/lib/recsvc
VOLUME ["/var/lib/recsvc/shelf"]
STOPSIGNAL SIGTERM

FROM base AS train
COPY --from=train-env /opt/recsvc /opt/recsvc
USER 10001:10001
ENTRYPOINT ["recsvc-train"]
CMD ["--help"]

FROM base AS worker
COPY --from=worker-env /opt/recsvc /opt/recsvc
USER 10001:10001
ENTRYPOINT ["recsvc", "worker"]
CMD ["archive"]

FROM base AS serve
COPY --from=serve-env /opt/recsvc /opt/recsvc
ENV RECSVC_BIND=0.0.0.0:8080 PROMETHEUS_MULTIPROC_DIR=/tmp/recsvc-metrics
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["recsvc"]
CMD ["serve"]
