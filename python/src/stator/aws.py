"""boto3 without a network: `with stator.aws.capture(): ...` answers every DynamoDB client of the process from a database.

    with stator.aws.capture() as db:             # in memory; capture("shop.stator") or capture(db) for one that stays
        table = boto3.resource("dynamodb").Table("movies")

What is captured are the requests of the services dynamodb and dynamodbstreams, where botocore hands them to HTTP: so it holds for
clients and resources made before, in other modules and other threads, whatever their endpoint, region and credentials are. Nothing
is signed, and while a capture is active no such request reaches the network. Other services, and presigned URLs, are not touched.
Clients made inside without a region get us-east-1, and without credentials some that mean nothing; roles of machines and containers
are not asked for.

Captures nest: the one entered last and still active answers. They hold for the whole process, not for one thread. botocore is
imported when a capture begins, not before; clients of other libraries than botocore are not captured.
"""

import functools
import inspect
import re
import secrets
import threading
import zlib
from email.utils import formatdate

from . import errors
from ._database import Database, open

TARGETS = re.compile(r"DynamoDB(Streams)?_20120810\.")
SERVICES = ("dynamodb", "dynamodbstreams")
SERVICE_IDS = ("DynamoDB", "DynamoDB Streams")
REGION = "us-east-1"
NETWORK_PROVIDERS = ("iam-role", "container-role")
HOST_REGION = re.compile(r"https?://[^/]*?\b(?:dynamodb|ddb)(?:-fips)?\.([a-z]{2}[a-z-]*-\d+)\.")
ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_lock = threading.Lock()
_active = []  # captures, the innermost last
_patches = []  # (class, name, original, replacement) while there are any


class _Raw:
    """What botocore reads a body from."""

    def __init__(self, body):
        self._body = body

    def stream(self, *_, **__):
        body, self._body = self._body, b""
        yield body

    def read(self, *_, **__):
        body, self._body = self._body, b""
        return body


def _text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""


def _innermost():
    with _lock:
        return _active[-1].database if _active else None


def _answer(database, request, target):
    from botocore.awsrequest import AWSResponse

    body = request.body
    if hasattr(body, "read"):
        body = body.read()
    region = HOST_REGION.match(request.url)
    status, answer = database.dispatch(target, body or b"", region=region.group(1) if region else "")
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(answer)),
        "Date": formatdate(usegmt=True),
        "Server": "Server",
        "x-amzn-RequestId": "".join(secrets.choice(ID_LETTERS) for _ in range(52)),
        "x-amz-crc32": str(zlib.crc32(answer)),
    }
    return AWSResponse(request.url, status, headers, _Raw(answer))


def _send(original):
    @functools.wraps(original)
    def send(endpoint, request):
        target = _text(request.headers.get("X-Amz-Target"))
        database = _innermost() if TARGETS.match(target) else None
        return original(endpoint, request) if database is None else _answer(database, request, target)

    return send


def _choose_signer(original):
    from botocore import UNSIGNED

    @functools.wraps(original)
    def choose(signer, operation_name, signing_type, context):
        if signing_type == "standard" and signer._service_id in SERVICE_IDS and _innermost() is not None:
            return UNSIGNED
        return original(signer, operation_name, signing_type, context)

    return choose


def _has_region(session, given):
    configs = (given.get("config"), session.get_default_client_config())
    named = given.get("region_name") or any(getattr(config, "region_name", None) for config in configs)
    return bool(named or session.get_config_variable("region"))


def _has_credentials(session, given):
    if given.get("aws_access_key_id") or getattr(session, "_credentials", None) is not None:
        return True
    from botocore.credentials import CredentialResolver

    resolver = session.get_component("credential_provider")
    local = [provider for provider in resolver.providers if provider.METHOD not in NETWORK_PROVIDERS]
    return CredentialResolver(local).load_credentials() is not None


def _create_client(original):
    signature = inspect.signature(original)

    @functools.wraps(original)
    def create_client(session, *words, **options):
        given = signature.bind(session, *words, **options)
        if given.arguments.get("service_name") in SERVICES and _innermost() is not None:
            if not _has_region(session, given.arguments):
                given.arguments["region_name"] = REGION
            if not _has_credentials(session, given.arguments):
                given.arguments["aws_access_key_id"] = "captured"
                given.arguments["aws_secret_access_key"] = "captured"
        return original(*given.args, **given.kwargs)

    return create_client


def _install():
    from botocore.endpoint import Endpoint
    from botocore.session import Session
    from botocore.signers import RequestSigner

    for cls, name, make in (
        (Endpoint, "_send", _send),
        (RequestSigner, "_choose_signer", _choose_signer),
        (Session, "create_client", _create_client),
    ):
        original = getattr(cls, name)
        replacement = make(original)
        setattr(cls, name, replacement)
        _patches.append((cls, name, original, replacement))


def _remove():
    """Takes the replacements out; one that somebody replaced in turn stays below, and passes everything on."""
    while _patches:
        cls, name, original, replacement = _patches.pop()
        if getattr(cls, name) is replacement:
            setattr(cls, name, original)


class _Active:
    def __init__(self, source):
        self.is_owner = not isinstance(source, Database)
        self.database = open(":memory:" if source is None else source) if self.is_owner else source

    def begin(self):
        try:
            with _lock:
                if not _patches:
                    _install()
                _active.append(self)
        except BaseException:
            self.close()
            raise
        return self.database

    def end(self):
        with _lock:
            _active.remove(self)
            if not _active:
                _remove()
        self.close()

    def close(self):
        if self.is_owner:
            self.database.close()


class capture:
    """A context manager that gives the database, and a decorator of functions and coroutine functions.

    db_or_path: a Database, which stays open; a path, opened at the beginning and closed at the end; None for one in memory that
    begins empty each time. `@capture` without parentheses is `@capture()`.
    """

    def __new__(cls, db_or_path=None):
        if inspect.isroutine(db_or_path):
            return cls()(db_or_path)
        return super().__new__(cls)

    def __init__(self, db_or_path=None):
        self._source = db_or_path
        self._begun = []

    def __enter__(self):
        active = _Active(self._source)
        database = active.begin()
        with _lock:
            self._begun.append((threading.get_ident(), active))
        return database

    def __exit__(self, *exc):
        with _lock:  # the newest that this thread began; one begun elsewhere only when there is none
            own = [pair for pair in self._begun if pair[0] == threading.get_ident()] or self._begun
            pair = own[-1]
            self._begun.remove(pair)
        pair[1].end()

    def __call__(self, function):
        source = self._source
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run(*words, **options):
                with capture(source):
                    return await function(*words, **options)

        elif inspect.isroutine(function):

            @functools.wraps(function)
            def run(*words, **options):
                with capture(source):
                    return function(*words, **options)

        else:
            raise errors.make(6, errors.CALLER, -1, f"capture decorates functions, not {function!r}")
        return run


def fixture(db_or_path=None, *, scope="function", autouse=False):
    """A pytest fixture that captures for its scope and gives the database; in conftest.py: `dynamodb = stator.aws.fixture()`."""
    import pytest

    @pytest.fixture(scope=scope, autouse=autouse)
    def dynamodb():
        with capture(db_or_path) as database:
            yield database

    return dynamodb
