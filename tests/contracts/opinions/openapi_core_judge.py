"""openapi-core as a judge of every answer in a HAR report. Not part of the suite: needs `openapi-core`.

    python -m tests.contracts.opinions.openapi_core_judge openapi.yaml run.har

Exit 1 if it finds an answer wrong, or nothing wrong with spoiled ones.
"""

import sys
from collections import Counter
from pathlib import Path

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.responses.exceptions import ResponseFinderError
from openapi_core.testing import MockRequest, MockResponse

from tests.contracts.opinions.recorded import RIGHT, UNKNOWN, Answer, answers, spoiled, verdict


def opinion(api: OpenAPI, answer: Answer) -> str:
    """What openapi-core says of one answer."""
    request = MockRequest(api.spec["servers"][0]["url"], answer.method.lower(), answer.path)
    kind = answer.headers.get("content-type", "").split(";")[0]
    try:
        api.validate_response(request, MockResponse(answer.text.encode(), answer.status, answer.headers, kind))
    except (PathError, ResponseFinderError):
        return UNKNOWN
    except OpenAPIError as error:
        return f"{answer.status} {answer.method}: {type(error).__name__}: {error.__cause__ or error}"[:300]
    return RIGHT


def main(document: Path, har: Path) -> int:
    """Judge every answer and print the tally."""
    api, given = OpenAPI.from_file_path(str(document)), answers(har)
    right, tally = verdict(Counter(opinion(api, answer) for answer in given))
    print(tally)  # noqa: T201 - a script for people
    return int(not right or verdict(Counter(opinion(api, answer) for answer in spoiled(given)))[0])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
