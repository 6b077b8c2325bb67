"""The functions of ministack that are replaced or relied on, by the digest of their source: another release fails at once."""
import hashlib
import importlib.metadata
import inspect

VERSION = "1.5.33"


def expect_version() -> None:
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        raise SystemExit(f"ministack {found}: expected {VERSION}; the corrections of this folder were written for that one")


def replace(module, name: str, digest: str, replacement) -> None:
    """Puts `replacement` in place of a function whose source has this digest."""
    original = getattr(module, name)
    found = hashlib.sha256(inspect.getsource(original).encode()).hexdigest()[:12]
    if found != digest:
        raise SystemExit(f"{module.__name__}.{name}: source is {found}, expected {digest}; ministack changed")
    setattr(module, name, replacement)
