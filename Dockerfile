# syntax=docker/dockerfile:1
FROM rust:1-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock clippy.toml ./
COPY src src
COPY config config
COPY docs docs
# The manifest names these targets; the image needs none of them.
COPY benches benches
COPY tests tests
RUN cargo build --release --locked

FROM debian:bookworm-slim
# For upstreams over TLS.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/why412 /usr/local/bin/why412
USER 65532:65532
# In a container clients come from outside. The control plane stays on the container's loopback until it has a token.
ENV WHY412_LISTEN=0.0.0.0:8412
EXPOSE 8412
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["why412", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["why412"]
CMD ["run"]
