"""A Django application that signs in with social-auth and its generic OpenID Connect backend, by discovery."""

import os
import wsgiref.simple_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import include, path
from social_core.pipeline import DEFAULT_AUTH_PIPELINE

env = os.environ
settings.configure(
    SECRET_KEY=env["CLIENT_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "social_django"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["social_core.backends.open_id_connect.OpenIdConnectAuth"],
    LOGIN_REDIRECT_URL="/",
    DEBUG=True,
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=env["ISSUER"],
    SOCIAL_AUTH_OIDC_KEY=env["CLIENT_ID"],
    SOCIAL_AUTH_OIDC_SECRET=env["CLIENT_SECRET"],
    SOCIAL_AUTH_OIDC_USE_PKCE=True,
    SOCIAL_AUTH_PIPELINE=(*DEFAULT_AUTH_PIPELINE, "__main__.keep"),
)
django.setup()

from social_django.utils import load_strategy  # noqa: E402 only after the settings


def home(request):
    return HttpResponse(f"signed in as {request.user}" if request.user.is_authenticated else "nobody")


def login(request):
    return HttpResponse("<form method=post action=/login/oidc/><button>Sign in</button></form>")


def keep(strategy, response, **_):
    """The last step of a sign-in; `response` is what userinfo said, and the token that it was asked with."""
    strategy.session_set("person", {name: value for name, value in response.items() if name != "access_token"})


def me(request):
    return JsonResponse(request.session["person"])


def refresh(request):
    social = request.user.social_auth.get()
    before = social.access_token
    social.refresh_token(load_strategy(request))
    return JsonResponse({"before": before, "access_token": social.access_token})


urlpatterns = [
    path("", home), path("login", login), path("me", me), path("refresh", refresh),
    path("", include("social_django.urls", namespace="social")),
]
application = get_wsgi_application()
call_command("migrate", verbosity=0)
wsgiref.simple_server.make_server("127.0.0.1", int(env["PORT"]), application).serve_forever()
