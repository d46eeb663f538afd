"""What documents and collections may be called."""

import re
import unicodedata

MAX_NAME_CHARACTERS = 300
_COLLECTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def checked_collection(name: str) -> str:
    """The name; raises ValueError with the rule where it breaks it."""
    if not _COLLECTION.fullmatch(name):
        raise ValueError(
            "a collection's name has 1 to 63 lower-case letters, digits, - and _, and begins with a letter or digit"
        )
    return name


def plain_name(name: str) -> str:
    """What stays of an upload's name: no folders, nothing unprintable; raises ValueError where that is nothing."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(character for character in last if character.isprintable()).strip()
    if not plain.strip("."):
        raise ValueError("a document needs a file name, such as refunds.md")
    if len(plain) > MAX_NAME_CHARACTERS:
        raise ValueError(f"a document's name has at most {MAX_NAME_CHARACTERS} characters")
    return plain
