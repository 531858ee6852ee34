# syntax=docker/dockerfile:1
# One image for every process: `serve` by default, `worker`, `doctor`, … as arguments.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/dispatcher
ENV PATH=/opt/dispatcher/bin:$PATH
WORKDIR /src
COPY requirements/runtime.txt requirements/
RUN pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY dispatcher dispatcher
COPY worker worker
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes hatchling editables trove-classifiers pathspec pluggy setuptools pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin dispatcher \
    && install --directory --owner dispatcher --group dispatcher --mode 700 /var/lib/dispatcher
COPY --from=build /opt/dispatcher /opt/dispatcher
ENV PATH=/opt/dispatcher/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DISPATCHER_HOST=0.0.0.0 \
    DISPATCHER_PORT=8080 \
    DISPATCHER_DATA_DIR=/var/lib/dispatcher \
    DISPATCHER_LOG_FORMAT=json
USER dispatcher
WORKDIR /var/lib/dispatcher
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["dispatcher"]
CMD ["serve"]
