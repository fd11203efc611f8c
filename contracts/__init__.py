"""The judge: verifies any Yeastar-compatible provider against `openapi.yaml`, over HTTP only."""
