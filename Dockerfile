# The gateway as an image: built with plain pip from the exported lock, run by a user without rights on a
# read-only root. `init` makes ./school and, beside it, ./school.key; then mount the directory at /school (read-write:
# the database stands in it) and the key from beside it, never from inside (docs/handleiding/beheerder.md):
#
#   docker build --tag gateway .
#   docker run --rm -it -v "$PWD:/here" -w /here --user "$(id -u)" gateway init school --recipient NAME
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --user "$(id -u)" \
#     -v ./school:/school -v ./school.key:/school.key:ro -p 127.0.0.1:8080:8080 gateway

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/gateway
COPY requirements.txt ./
RUN /opt/gateway/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway ./gateway
COPY schemas ./schemas
COPY recipients ./recipients
RUN /opt/gateway/bin/pip install --no-cache-dir --no-deps . \
 && /opt/gateway/bin/python -m compileall -q /opt/gateway/lib

FROM python:3.13-slim
COPY --from=build /opt/gateway /opt/gateway
# No bytecode and no session file beside the directory at run time: the root may be read-only.
ENV PATH=/opt/gateway/bin:$PATH \
    GATEWAY_SESSION=/tmp/session \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /school
VOLUME /school
EXPOSE 8080
# The admin port is not published; health is asked from inside.
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8081/healthz', timeout=2)"]
ENTRYPOINT ["gateway"]
CMD ["serve"]
