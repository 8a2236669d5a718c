# The platform's image: consumer, followers and dashboard are commands of the same program; Airflow runs the DAGs in it.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
ARG EXTRAS=kafka,dashboard,http,redis,mongo,orders-db,airflow
WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY src src
RUN python -m venv /venv \
    && PIP_CONSTRAINT=constraints.txt /venv/bin/pip install -c constraints.txt -e ".[${EXTRAS}]"

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /tmp dataflow
# Airflow's triggerer imports what tells of a missed deadline from the folder of the DAGs.
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app/dags HOME=/tmp DATAFLOW_HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY dashboard dashboard
COPY dags dags
RUN install -d -o dataflow /data /airflow
USER dataflow
VOLUME /data
ENTRYPOINT ["dataflow"]
CMD ["--help"]
