# One reference server. Built from the repository's root: docker build -f compose/server.Dockerfile .
# The packages are installed in a stage of their own: what a package index asks for stays out of the final image's history.
FROM python:3.13-slim AS packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
COPY compose/server-requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/server \
 && /opt/server/bin/pip install --no-cache-dir --disable-pip-version-check --quiet -r /tmp/requirements.txt

FROM python:3.13-slim
LABEL broadcast-harness.image="server"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin server
COPY --from=packages /opt/server /opt/server
COPY compose/server-settings.json /etc/broadcast-server/settings.json
COPY reference_server /opt/server/app/reference_server
# Whatever the modes in the checkout were, the server's user must be able to read, and need not compile at each start.
RUN chmod -R a+rX /opt/server/app /etc/broadcast-server && /opt/server/bin/python -m compileall -q /opt/server/app
ENV PATH=/opt/server/bin:$PATH PYTHONPATH=/opt/server/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER server
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-m", "reference_server.health", "--settings", "/etc/broadcast-server/settings.json"]
CMD ["python", "-m", "reference_server", "--settings", "/etc/broadcast-server/settings.json"]
