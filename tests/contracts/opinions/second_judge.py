"""openapi-core as a second judge of every answer in a HAR report. Not part of the suite: needs `openapi-core`.

    smslab contract verify --target lab.toml --report har=run.har
    python second_judge.py openapi.yaml run.har

Answers that the document does not describe (other paths, statuses from below the application) are counted apart.
Exit 1 if openapi-core finds an answer wrong.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.responses.exceptions import ResponseFinderError
from openapi_core.testing import MockRequest, MockResponse


def opinion(api: OpenAPI, entry: dict, server: str) -> str:
    """What openapi-core says of one exchange: "right", "undescribed", or why it is wrong."""
    asked, answered = entry["request"], entry["response"]
    headers = {pair["name"].lower(): pair["value"] for pair in answered["headers"]}
    content = answered["content"]
    is_http = asked["comment"] in {"length", "chunked", "promise", "none"}
    if not answered["status"] or not is_http or asked["method"] == "HEAD" or content.get("encoding"):
        return "undescribed"
    request = MockRequest(server, asked["method"].lower(), urlsplit(asked["url"]).path)
    kind = headers.get("content-type", "").split(";")[0]
    response = MockResponse(content["text"].encode(), answered["status"], headers, kind)
    try:
        api.validate_response(request, response)
    except (PathError, ResponseFinderError):
        return "undescribed"
    except OpenAPIError as error:
        return f"{answered['status']} {asked['method']}: {type(error).__name__}: {error.__cause__ or error}"[:300]
    return "right"


def main(document: Path, har: Path) -> int:
    """Judge every exchange and print the tally."""
    api = OpenAPI.from_file_path(str(document))
    server = api.spec["servers"][0]["url"]
    entries = json.loads(har.read_text(encoding="utf-8"))["log"]["entries"]
    said = Counter(opinion(api, entry, server) for entry in entries)
    for text, count in said.most_common():
        print(f"{count:5} {text}")  # noqa: T201 - a script for people
    return int(bool(set(said) - {"right", "undescribed"}))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
