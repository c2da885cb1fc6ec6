"""Every setting of Registrar, read from the environment; docs/configuration.md lists them.

Without any variable the server runs on its embedded defaults: SQLite and files below `var/`.
"""

from datetime import timedelta
from importlib.resources import files
from pathlib import Path

from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages
from django.core.exceptions import ImproperlyConfigured
from environs import validate
from whitenoise.compress import Compressor

from . import BASE_DIR, __version__, databases, logs, storages
from .environment import env, load_or_create_secret_key

VERSION = __version__
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

# --- Where it runs -------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
EMBEDDED = not env.str("DATABASE_URL", "")
# Whether this process answers requests; project/wsgi.py sets it, commands do not.
SERVING = env.bool("SERVING", False)
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if not EMBEDDED:
        raise ImproperlyConfigured(
            "SECRET_KEY is required when DATABASE_URL is set: give a long random text, for example "
            "the output of `python -c 'import secrets; print(secrets.token_urlsafe(50))'`."
        )
    SECRET_KEY = load_or_create_secret_key(VAR_DIR / "secret_key")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

# Absolute URLs (`next`, `storage_address`) must have the address that clients use, which a proxy
# passes on in X-Forwarded-Host and X-Forwarded-Proto.
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
USE_X_FORWARDED_HOST = BEHIND_PROXY
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

HTTPS = env.bool("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
if HTTPS:
    # Browsers accept these names from this host over HTTPS only: no neighbouring host can set them.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# A redirected POST arrives as a GET, so the proxy redirects from http to https if there is one.
SECURE_SSL_REDIRECT = HTTPS and not BEHIND_PROXY
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz)$"]
# Both affect other hosts, and browsers remember them for long: the operator decides.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- What it is made of --------------------------------------------------------------------------

INSTALLED_APPS = [
    "assets.apps.AssetsConfig",
    "assets.apps.RegistrarAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "assets.apps.RegistrarStaticFilesConfig",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "heroicons",
    "csp",
]

MIDDLEWARE = [
    "assets.common.ops.logging.RequestLog",
    # Every answer of the middleware below gets the headers of these three.
    "assets.common.ops.middleware.SecurityHeaders",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "assets.common.ops.language.LanguageMiddleware",
    "assets.common.ops.body_limits.BodyLimits",
    "assets.common.ops.health.Probes",
    "assets.common.ops.middleware.GZipPages",
    "assets.common.audit.Audited",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "assets.common.ops.middleware.Sessions",
    "assets.common.ops.middleware.SafeCommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "assets.common.ops.middleware.SessionUsers",
    "assets.common.ops.middleware.Messages",
    "assets.common.idempotency.forms.IdempotentForms",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
# Bootstrap's word for what Django calls an error.
MESSAGE_TAGS = {messages.ERROR: "danger"}

# Nothing inline, nothing from another host. Bootstrap draws its arrows from data: images.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
# Browsers report here what the policy blocked.
VIOLATIONS_TO = env.str(
    "CSP_REPORT_URI", "", validate=validate.Regexp(r"(?:(?:https?:/)?/[^\s;,\"\\]+)?\Z")
)
if VIOLATIONS_TO:
    # Every browser knows the older of the two.
    CONTENT_SECURITY_POLICY["DIRECTIVES"] |= {"report-uri": [VIOLATIONS_TO], "report-to": ["csp"]}

# --- Database ------------------------------------------------------------------------------------

DATABASES = {
    "default": databases.sqlite(VAR_DIR / "registrar.sqlite3")
    if EMBEDDED
    else databases.server(serving=SERVING)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Files ---------------------------------------------------------------------------------------

STORAGE_ROOT = Path(env.str("STORAGE_ROOT", str(VAR_DIR / "files")))
# Each organisation may register the folders below SERVERMEDIAS_ROOT/<organisation id> in place.
SERVERMEDIAS_ROOT = Path(env.str("SERVERMEDIAS_ROOT", str(VAR_DIR / "servermedias")))
MAX_UPLOAD_SIZE = env.int("MAX_UPLOAD_SIZE", 1024**3)
# Of one user, uploaded and not yet registered: how many files, and their bytes.
MAX_WAITING_FILES = env.int("MAX_WAITING_FILES", 10_000)
MAX_WAITING_SIZE = env.int("MAX_WAITING_SIZE", 10 * MAX_UPLOAD_SIZE)

S3_BUCKET = env.str("S3_BUCKET", "")
DOWNLOADS = storages.downloads(S3_BUCKET)
# The internal location of STORAGE_ROOT in nginx.
ACCEL_LOCATION = env.str("ACCEL_LOCATION", "/stored-files/")
STORAGES = {
    "default": storages.asset_storage(S3_BUCKET, STORAGE_ROOT),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# A file may have MAX_UPLOAD_SIZE, a request with files MAX_REQUEST_SIZE, and JSON with tasks, which
# is read from disk, MAX_JSON_SIZE. Everything else is read into memory, and limited by the last
# three. Before sign-in, a request needs no more than SMALL_BODY_SIZE.
MAX_REQUEST_SIZE = env.int("MAX_REQUEST_SIZE", 4 * MAX_UPLOAD_SIZE)
SMALL_BODY_SIZE = 16 * 1024
MAX_JSON_SIZE = env.int("MAX_JSON_SIZE", 1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = min(MAX_JSON_SIZE, 64 * 1024**2)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10_000
FILE_UPLOAD_HANDLERS = ["assets.common.ops.multipart.MultipartHandler"]

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(VAR_DIR / "static")))
# Pages name files by their content. Source maps are for whoever debugs a package.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", str(files("bootstrap") / "css")),
]

# --- Users, sessions and tokens ------------------------------------------------------------------

AUTH_USER_MODEL = "assets.User"
LOGIN_URL = LOGOUT_REDIRECT_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
AUTHENTICATION_BACKENDS = ["assets.accounts.backends.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": env.int("PASSWORD_MIN_LENGTH", 12)},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]

# Failed attempts before the next one waits: as one user from one address, and from an address.
LOGIN_FAILURES_PER_USER = env.int("LOGIN_FAILURES_PER_USER", 10)
LOGIN_FAILURES_PER_ADDRESS = env.int("LOGIN_FAILURES_PER_ADDRESS", 100)
LOGIN_COOLOFF = timedelta(minutes=env.float("LOGIN_COOLOFF_MINUTES", 15))

# Who must set up a second factor; others may.
REQUIRE_SECOND_FACTOR = env.str(
    "REQUIRE_SECOND_FACTOR", "off", validate=validate.OneOf(["off", "admins", "all"])
)

# A session ends this long after the sign-in, and this long after its last request.
SESSION_ENGINE = "assets.common.ops.sessions"
SESSION_COOKIE_AGE = int(env.float("SESSION_LIFETIME_HOURS", 7 * 24) * 3600)
SESSION_IDLE_AGE = int(env.float("SESSION_IDLE_HOURS", 12) * 3600)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# OIDC_ISSUER switches OpenID Connect on.
OIDC_ISSUER = env.str("OIDC_ISSUER", "")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", "")
OIDC_NAME = env.str("OIDC_NAME", "your organisation's account")
OIDC_SCOPES = env.str("OIDC_SCOPES", "openid profile email")
# The claim that finds an existing user at the first sign-in.
OIDC_LINK_BY = env.str("OIDC_LINK_BY", "", validate=validate.OneOf(["", "username", "email"]))
OIDC_UNKNOWN_USERS = env.str(
    "OIDC_UNKNOWN_USERS", "refuse", validate=validate.OneOf(["refuse", "approve", "create"])
)
OIDC_ORGANIZATION_CLAIM = env.str("OIDC_ORGANIZATION_CLAIM", "")
OIDC_NEW_ROLE = env.str("OIDC_NEW_ROLE", "member", validate=validate.OneOf(["member", "viewer"]))
# Whether to ask for our own second factor as well; otherwise the provider asks for one.
OIDC_SECOND_FACTOR = env.bool("OIDC_SECOND_FACTOR", False)
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("OIDC_ISSUER also needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
if OIDC_UNKNOWN_USERS == "create" and not OIDC_ORGANIZATION_CLAIM:
    raise ImproperlyConfigured(
        "OIDC_UNKNOWN_USERS=create needs OIDC_ORGANIZATION_CLAIM: the claim that names whose users "
        "they are."
    )

PASSWORD_RESET_TIMEOUT = int(timedelta(days=7).total_seconds())
TOKEN_LIFETIME = timedelta(hours=env.float("TOKEN_LIFETIME_HOURS", 24))
PASSWORD_LOGIN_FOR_API = env.bool("PASSWORD_LOGIN_FOR_API", True)

# --- API -----------------------------------------------------------------------------------------

CHANNEL = env.str("CHANNEL", "mychannel")
# The versions of the reference server whose contract the API speaks.
SUBSTRA_BACKEND_VERSION = "1.0.1"
SUBSTRA_ORCHESTRATOR_VERSION = "1.0.0"
MODEL_EXPORT_ENABLED = env.bool("MODEL_EXPORT_ENABLED", True)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "assets.accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["assets.accounts.api.authentication.BelongsToOrganization"],
    "DEFAULT_PARSER_CLASSES": [
        "assets.common.api.parsers.JSONParser",
        "assets.common.api.parsers.JSONPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "assets.common.api.renderers.ORJSONRenderer",
        "assets.common.api.renderers.BrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "assets.common.api.renderers.LenientNegotiation",
    "DEFAULT_PAGINATION_CLASS": "assets.common.api.pagination.PagePagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "assets.common.api.filters.OrderingBackend",
    ],
    "DEFAULT_SCHEMA_CLASS": "assets.common.api.schema.Schema",
    "EXCEPTION_HANDLER": "assets.common.api.errors.exception_handler",
    "DATETIME_FORMAT": None,
    "SEARCH_PARAM": "match",
    "PAGE_SIZE": 100,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Registrar",
    "DESCRIPTION": "Register datasets, data samples, functions, compute plans and tasks.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["assets.common.api.schema.without_dialects"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "assets.common.api.schema.with_plain_any",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    # The original component puts a link into each button, which the keyboard cannot reach.
    "SWAGGER_UI_SETTINGS": """{
        deepLinking: true,
        presets: [
            SwaggerUIBundle.presets.apis,
            (system) => ({
                components: {
                    DeepLink: ({text}) => system.React.createElement("span", null, text),
                },
            }),
        ],
    }""",
}

# --- Runners -------------------------------------------------------------------------------------

# A job whose runner is silent for longer can be run by another one.
RUNNER_LEASE_SECONDS = env.float("RUNNER_LEASE_SECONDS", 60, validate=validate.Range(min=1))

# --- Language, time, logs ------------------------------------------------------------------------

# Texts are written in English; the API, logs and commands have no other language.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("de", "Deutsch")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = logs.of_django(
    level=env.str("LOG_LEVEL", "WARNING").upper(),
    format=env.str("LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"])),
    access_log=env.bool("ACCESS_LOG", False),
)

METRICS_PORT = env.int("METRICS_PORT", 0)
if METRICS_PORT:
    MIDDLEWARE.insert(1, "assets.common.ops.metrics.RequestMetrics")
