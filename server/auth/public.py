"""What can be reached without a token or a key: this list is all of it, and a test walks every route to prove it."""

PUBLIC_ROUTES = frozenset(
    {
        ("GET", "/"),
        ("GET", "/call"),
        ("GET", "/call/{token}"),  # the token is in the path
        ("GET", "/call/assets"),  # the page's scripts and styles
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/api/ingress/healthz"),
        ("GET", "/api/asr/healthz"),
        ("GET", "/api/llm/healthz"),
        ("GET", "/api/tts/healthz"),
        ("GET", "/api/rag/healthz"),
        ("GET", "/api/ingress/lines-busy.wav"),  # one sentence, the same for everybody
        ("POST", "/api/ingress/session/create"),  # by JARVIS_PUBLIC_CALLS, see server/ingress/public_calls.py
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
    }
)
