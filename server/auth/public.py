"""What can be reached without a token: this list is all of it, and a test walks every route to prove it."""

PUBLIC_ROUTES = frozenset(
    {
        ("GET", "/"),
        ("GET", "/call"),
        ("GET", "/call/{token}"),  # the token is in the path
        ("GET", "/call/assets"),  # the page's scripts and styles
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/api/rag/healthz"),
        ("GET", "/api/ingress/lines-busy.wav"),  # one sentence, the same for everybody
        ("POST", "/api/ingress/session/create"),  # public call links, on loopback unless JARVIS_HOST says otherwise
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
    }
)
