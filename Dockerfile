# Two stages: a builder with the toolchain, and a small image that holds one program and no compiler.
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin fundloop && cp target/release/fundloop /fundloop

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin fundloop \
    && install -d -o fundloop -g fundloop /data
COPY --from=build /fundloop /usr/local/bin/fundloop
ENV FUNDLOOP__SERVER__LISTEN=0.0.0.0:8080 FUNDLOOP__DATA__FOLDER=/data
USER fundloop
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["fundloop", "healthcheck"]
ENTRYPOINT ["fundloop"]
CMD ["serve"]
