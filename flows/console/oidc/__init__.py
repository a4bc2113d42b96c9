"""Signing in with an OpenID Connect provider: what is asked of it, and when its answer proves who somebody is there.

The authorization code flow with PKCE, by Authlib; ID tokens are verified by joserfc. What a provider answers is judged
here and shown, logged and kept nowhere.
"""

from flows.console.oidc.begun import Begins, Begun
from flows.console.oidc.errors import NotProven, Unreachable
from flows.console.oidc.provider import Provider

__all__ = ["Begins", "Begun", "NotProven", "Provider", "Unreachable"]
