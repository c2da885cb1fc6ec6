"""The head of a request: waitress parses it, and this module refuses more than waitress does.

A head that is refused here never reaches the application, where it could be read in another way
than by a proxy, or fail.
"""

import contextlib
import re
from codecs import lookup

from django.utils.http import parse_header_parameters
from waitress.parser import HTTPRequestParser, ParsingError

# The headers that determine where a body ends, and their values.
FRAMES = re.compile(rb"\r\n(?:(content-length)|transfer-encoding):[ \t]*([^\r]*)", re.IGNORECASE)


class Head(HTTPRequestParser):
    """A request whose head is read more strictly than waitress does."""

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head.

        Raises: ParsingError, which is answered by 400 before the connection is closed.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # an address, or a length of thousands of digits
            raise ParsingError("The head of the request cannot be read.") from error
        self._check_frame(header_plus)
        self._check_content_type()

    def _check_frame(self, head: bytes) -> None:
        """Refuse a body that another server, such as a proxy, may take to end elsewhere.

        That server would read the rest of the body as another request.
        """
        encodings = [value for is_length, value in FRAMES.findall(head) if not is_length]
        if not encodings:
            return
        is_plain = len(encodings) == 1 and encodings[0].strip(b" \t").lower() == b"chunked"
        if not (self.chunked and is_plain) or "CONTENT_LENGTH" in self.headers:
            raise ParsingError(
                "Send either Content-Length or, with HTTP/1.1, Transfer-Encoding: chunked."
            )

    def _check_content_type(self) -> None:
        """Refuse a type that Django fails to parse, before any view could refuse it."""
        try:
            _, parameters = parse_header_parameters(self.headers.get("CONTENT_TYPE", ""))
            with contextlib.suppress(LookupError):
                lookup(parameters.get("charset", "utf-8"))
        except (ValueError, LookupError) as error:
            raise ParsingError("Content-Type is invalid.") from error
