# syntax=docker/dockerfile:1

# The one place for the version of Node in the image; package.json pins the same for development.
ARG NODE_VERSION=26.10.0

FROM node:${NODE_VERSION}-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Production dependencies only, and no optional ones: those carry Node itself, which the image brings.
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY openapi.yaml LICENSE ./
COPY policy ./policy
COPY src ./src
# What Node makes of the sources, once here and not at each start: nobody can write there in the image. It is kept by user and by
# V8's options, which the process in the sandbox has of its own (src/shell/sandbox.ts); nobody but its user may read it at first.
RUN mkdir -p node_modules/.cache/fluxgate && chown 65532:65532 node_modules/.cache/fluxgate
USER 65532:65532
RUN for options in "" "--wasm-lazy-validation --wasm-tiering-budget=1000000000 --max-semi-space-size=16 --min-semi-space-size=16 --initial-old-space-size=64 --heap-growing-percent=20 --no-memory-reducer --v8-pool-size=1 --invocation-count-for-turbofan=800"; do \
  NODE_COMPILE_CACHE=/app/node_modules/.cache/fluxgate node $options --input-type=module \
  -e "for (const file of ['cli/program', 'cli/serve', 'cli/run-gateway']) await import('/app/src/' + file + '.ts'); await (await import('/app/src/shell/http/handlers/operator-handlers.ts')).loadOperatorHandlers(() => Promise.resolve())"; done
USER 0:0
RUN chmod -R a+rX node_modules/.cache
# Node needs libatomic since version 25, and distroless images have none.
RUN cp -L "$(ldd /usr/local/bin/node | awk '/libatomic/ { print $3 }')" /usr/local/lib/libatomic.so.1
# A volume is made with the owner of the directory that it covers; the final stage has no shell to make one.
RUN mkdir /data

# No shell, no package manager, nothing but libc, libstdc++ and CA certificates. The same Debian as above, for its libraries.
FROM gcr.io/distroless/cc-debian13:nonroot
LABEL org.opencontainers.image.title="fluxgate" \
      org.opencontainers.image.description="A hardened mutual-TLS gateway that tells Flux clusters what they should run" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/local/lib/libatomic.so.1 /usr/lib/libatomic.so.1
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build --chown=0:0 /app /app
COPY --from=build --chown=65532:65532 /data /data
WORKDIR /app
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/node_modules/.cache/fluxgate \
    DATABASE_URL=sqlite:///data/fluxgate.db
# The root filesystem may be read-only; only /data is written to.
VOLUME ["/data"]
USER 65532:65532
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["/usr/local/bin/node", "/app/src/main.ts", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/node", "/app/src/main.ts"]
CMD ["serve"]
