# The gateway as one image, in the place of La Suite Meet's Python agent with the same settings (LIVEKIT_URL, LIVEKIT_API_KEY,
# LIVEKIT_API_SECRET, TRANSCRIBER_AGENT_NAME).
#
#   docker build -t caption-gateway .
#   docker run --env-file agent.env -v caption-models:/models -p 8765:8765 --stop-timeout 30 caption-gateway
#
# - Debian, not Alpine: @livekit/rtc-node has binaries for glibc only.
# - /models holds the models. Empty, it is filled at the first start; without a network, by `models import` (see the README).
# - /reports holds seven days of latencies for reports (no text, no people), at most CAPTION_REPORT_MAX_MB.
# - Ports: 8765 for health (/healthz, /readyz), metrics and captions over WebSocket. Nothing needs to reach it for captions in LiveKit.
# - A certificate authority of your own: mount it over /etc/ssl/certs/ca-certificates.crt, and set NODE_EXTRA_CA_CERTS to it.
# - Give it longer to stop than CAPTION_DRAIN_S, so that what is being said becomes a final.
# - The base is Node 24, which is supported until April 2028. For builds that can be repeated, name the image by its digest:
#   docker build --build-arg NODE_DIGEST=sha256:… (docker buildx imagetools inspect node:24-bookworm-slim shows it).

ARG NODE_TAG=24-bookworm-slim
ARG NODE_DIGEST=
FROM node:${NODE_TAG}${NODE_DIGEST:+@${NODE_DIGEST}} AS base

FROM base AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM base
# LiveKit's SDK looks for certificate authorities in the system; the slim image has none.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
# onnxruntime would report models and sessions to its maker otherwise (its core/platform/posix/telemetry.cc, since 1.29).
# glibc keeps what LiveKit's native library frees after each room, unless it is told to give large pieces back at once.
ENV NODE_ENV=production \
  ORT_DISABLE_TELEMETRY=1 \
  MALLOC_TRIM_THRESHOLD_=131072 \
  MALLOC_MMAP_THRESHOLD_=131072 \
  CAPTION_HOST=0.0.0.0 \
  CAPTION_MODELS_DIR=/models \
  CAPTION_REPORT_DIR=/reports
WORKDIR /app
COPY --from=build /app ./
# A new volume takes its owner from here.
RUN mkdir /models /reports && chown node:node /models /reports
VOLUME /models /reports
USER node
EXPOSE 8765
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.CAPTION_PORT || 8765}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=2", "dist/gateway/main.js"]
CMD ["serve"]
