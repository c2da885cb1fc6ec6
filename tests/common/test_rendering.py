"""Answers as JSON: what is written already is sent unchanged, and not copied when it is large."""

import orjson
import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from assets.common.api.renderers import LARGE_ANSWER, ORJSONRenderer

SHARED = b'[{"identifier":"x\\u0000"},null]'
LONG = orjson.dumps(["x" * 1000] * 1000)


def answer_with(data: object) -> Response:
    class View(APIView):
        authentication_classes, permission_classes = (), ()
        renderer_classes = (ORJSONRenderer,)

        def get(self, request):
            return Response(data)

    return View.as_view()(APIRequestFactory().get("/")).render()


@pytest.mark.parametrize("written", [b"[]", SHARED, LONG, LONG * 2], ids=len)
@pytest.mark.parametrize("times", [0, 1, 3])
def test_bytes_are_written_already(written, times):
    texts = {"before": "\0", "after": 'é"'}
    answer = answer_with({"results": [texts | {"inputs": written}] * times, "count": times})
    whole = b",".join(
        [b'{"before":"\\u0000","after":"%s","inputs":%s}' % ('é\\"'.encode(), written)] * times
    )
    assert answer.content == b'{"results":[%s],"count":%d}' % (whole, times)
    assert b"".join(answer) == answer.content
    if "Content-Length" in answer:
        assert answer["Content-Length"] == str(len(answer.content))


def test_what_a_large_answer_shares_is_not_copied():
    written = LONG * (LARGE_ANSWER // len(LONG) + 1)
    sent = [piece for piece in answer_with([written, written]) if len(piece) > LARGE_ANSWER]
    assert sent[0] is sent[1] is written


def test_indented_answers_show_what_is_written():
    assert orjson.loads(ORJSONRenderer().render({"inputs": SHARED}, None, {"indent": 4})) == {
        "inputs": orjson.loads(SHARED)
    }
    assert b'\n      "identifier"' in ORJSONRenderer().render([SHARED], None, {"indent": 4})


def test_other_values_are_refused():
    with pytest.raises(TypeError, match="set"):
        ORJSONRenderer().render({"x": set()})
