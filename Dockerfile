# The gateway as an image: built with plain pip from the exported lock, run by a user without rights on a
# read-only root. Mount the school's directory at /school (read-write: the database stands in it) and give the
# key from elsewhere, never from inside that directory:
#
#   docker run --read-only --tmpfs /tmp --cap-drop ALL \
#     -v ./school:/school -v ./school.key:/run/secrets/gateway.key:ro \
#     -p 127.0.0.1:8080:8080 IMAGE

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
# No bytecode at run time: the root may be read-only.
ENV PATH=/opt/gateway/bin:$PATH \
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
