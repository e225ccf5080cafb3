FROM node:22-slim AS frontend
WORKDIR /app/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
COPY inference/captions/conformance.json ../inference/captions/conformance.json
RUN npm run build

FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml README.md manage.py ./
COPY annotator annotator
COPY inference inference
ARG EXTRAS=s3
RUN pip install --no-cache-dir -e ".[$EXTRAS]"
COPY --from=frontend /app/frontend/dist frontend/dist
RUN useradd --create-home warevision && mkdir /data && chown warevision /data
USER warevision
ENV PYTHONUNBUFFERED=1
