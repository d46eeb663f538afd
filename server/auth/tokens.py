"""Session tokens: signed, short-lived, bound to one session."""

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from server.errors import Problem


class SessionTokens:
    """Makes and reads the tokens in call links. Checked in constant time by itsdangerous (HMAC)."""

    def __init__(self, *, key: bytes, max_age_secs: int):
        self._serializer = URLSafeTimedSerializer(key, salt="jarvis-session")
        self.max_age_secs = max_age_secs

    def make(self, session_id: str) -> str:
        """A token for this session, good from now on for `max_age_secs`."""
        return self._serializer.dumps(session_id)

    def read(self, token: str) -> str:
        """The session's id, however old the token is; raises a 401 `Problem`."""
        try:
            return str(self._serializer.loads(token))
        except BadSignature:
            raise Problem(
                401, "This call link is not valid", "Check that it was copied whole, or start a new call."
            ) from None

    def is_fresh(self, token: str) -> bool:
        """Whether a token that was read may still join a call that nobody is on."""
        try:
            self._serializer.loads(token, max_age=self.max_age_secs)
        except SignatureExpired:
            return False
        return True
