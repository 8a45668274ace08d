"""A Django application that signs in with mozilla-django-oidc. It knows no refresh tokens: its middleware asks
again with prompt=none once the ID token counts as old, and that is the step `refresh` here."""

import os
import urllib.parse
import wsgiref.simple_server

import django
import requests
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path

env = os.environ
op = requests.get(env["ISSUER"] + "/.well-known/openid-configuration", timeout=10).json()
settings.configure(
    SECRET_KEY=env["CLIENT_SECRET"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    AUTHENTICATION_BACKENDS=["__main__.Backend"],
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    DEBUG=True,
    OIDC_RP_CLIENT_ID=env["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=env["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_RP_SCOPES="openid email profile",
    OIDC_USE_PKCE=True,
    OIDC_STORE_ACCESS_TOKEN=True,
    OIDC_STORE_ID_TOKEN=True,
    OIDC_OP_AUTHORIZATION_ENDPOINT=op["authorization_endpoint"],
    OIDC_OP_TOKEN_ENDPOINT=op["token_endpoint"],
    OIDC_OP_USER_ENDPOINT=op["userinfo_endpoint"],
    OIDC_OP_JWKS_ENDPOINT=op["jwks_uri"],
    OIDC_OP_LOGOUT_URL_METHOD="__main__.logout_url",
    ALLOW_LOGOUT_GET_METHOD=True,
)
django.setup()

from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402 only after the settings


class Backend(OIDCAuthenticationBackend):
    def get_userinfo(self, access_token, id_token, payload):
        person = super().get_userinfo(access_token, id_token, payload)
        self.request.session["person"] = person
        return person


def logout_url(request):
    query = {"id_token_hint": request.session["oidc_id_token"], "post_logout_redirect_uri": env["POST_LOGOUT_URI"]}
    return op["end_session_endpoint"] + "?" + urllib.parse.urlencode(query)


def home(request):
    return HttpResponse(f"signed in as {request.user}" if request.user.is_authenticated else "nobody")


def me(request):
    return JsonResponse(request.session["person"])


def refresh(request):
    request.session["before"] = request.session["oidc_access_token"]
    request.session["oidc_id_token_expiration"] = 0
    return redirect("/renewed")


def renewed(request):
    session = request.session
    return JsonResponse({"before": session["before"], "access_token": session["oidc_access_token"]})


urlpatterns = [
    path("", home), path("me", me), path("refresh", refresh), path("renewed", renewed),
    path("oidc/", include("mozilla_django_oidc.urls")),
]
application = get_wsgi_application()
call_command("migrate", verbosity=0)
wsgiref.simple_server.make_server("127.0.0.1", int(env["PORT"]), application).serve_forever()
