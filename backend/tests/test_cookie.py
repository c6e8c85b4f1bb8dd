"""The cookie's signature, by values that the authentication library itself has made.

`better-call` 2.0.6 (`serializeSignedCookie`) and `better-auth` 1.7.25 (`signUpEmail`) printed them.
"""

import pytest

from todo_backend.auth.cookie import session_token, verified_token

SECRET = "auth-secret-of-the-tests-0123456789"
TOKEN = "TE3kzJpLr0xw2ZsV9yQ1uHn6MbCdFgAi"
COOKIE = f"{TOKEN}.7GDu4QLJUlDV7TU%2FdO6nCTKeWZBA0bw6cNIrloRjDAw%3D"


@pytest.mark.parametrize(
    ("cookie", "secret", "token"),
    [
        pytest.param(COOKIE, SECRET, TOKEN, id="plain"),
        pytest.param(
            "token.with.dots.SF%2F2ycQqzSBPaE%2FEAe1%2BVjN9K5%2Fa%2FLcR4oWgueEsOGk%3D",
            SECRET,
            "token.with.dots",
            id="dots",
        ),
        pytest.param(
            "z%C3%BCrich%2F%2B%3D%20%25.rQht9sPm9%2Fe9ea20N6blzWEJdy5nwkxYVs5%2B0RcqUJM%3D",
            SECRET,
            "zürich/+= %",
            id="encoded",
        ),
        pytest.param(
            f"{TOKEN}.ofhnH1%2B5QiuDecuoleypjUNUkH9EfakElaekJX%2Bh1WU%3D",
            "schlüssel-mit-umlaut-äöü-0123456789",
            TOKEN,
            id="secret-beyond-ascii",
        ),
        pytest.param(
            "lPkr1AEkYZldDHNWS4KocyEVZV5YEX9x.w7rE61FIT4XFqQuXafPvOupdEaVkgNtf5xssLjsRSJk%3D",
            SECRET,
            "lPkr1AEkYZldDHNWS4KocyEVZV5YEX9x",
            id="of-a-sign-up",
        ),
    ],
)
def test_cookies_of_the_library_are_accepted(cookie: str, secret: str, token: str) -> None:
    assert verified_token(cookie, secret) == token


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        TOKEN,
        f"{TOKEN}.",
        ".7GDu4QLJUlDV7TU%2FdO6nCTKeWZBA0bw6cNIrloRjDAw%3D",
        f"{TOKEN}.not base64",
        f"{TOKEN}.ümlaut",
        f"{TOKEN}.AAAA",
        COOKIE.replace("TE3k", "TE3l"),
        COOKIE.replace("7GDu", "7GDv"),
        f"{TOKEN}.ofhnH1%2B5QiuDecuoleypjUNUkH9EfakElaekJX%2Bh1WU%3D",
    ],
)
def test_other_cookies_are_refused(cookie: str) -> None:
    assert verified_token(cookie, SECRET) is None


@pytest.mark.parametrize("prefix", ["", "__Secure-", "__Host-"])
def test_the_cookie_has_the_names_of_the_library(prefix: str) -> None:
    assert session_token({f"{prefix}better-auth.session_token": COOKIE}, SECRET) == TOKEN
    assert session_token({f"{prefix}other.session_token": COOKIE}, SECRET) is None


def test_a_forged_cookie_does_not_hide_a_good_one() -> None:
    cookies = {"__Secure-better-auth.session_token": "forged.AAAA", "better-auth.session_token": COOKIE}
    assert session_token(cookies, SECRET) == TOKEN
