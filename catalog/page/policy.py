"""The Content-Security-Policy of a page that is opened as a file, with inline script and style."""

import base64
import hashlib


def _source(text):
    """The source expression that allows an inline script or style by its digest."""
    digest = hashlib.sha256(text.encode('utf-8')).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def policy(script, style):
    """A policy that allows this script and style, images and videos beside the page, no more."""
    return ("default-src 'none'; img-src 'self' file: data:; media-src 'self' file:; "
            f"script-src {_source(script)}; style-src {_source(style)}; base-uri 'none'; "
            "form-action 'none'")
