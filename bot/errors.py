"""What can be wrong with a call."""


class BotError(Exception):
    """Base of the bot's errors; the message says what to do."""


class SessionTakenError(BotError):
    """Somebody else is on this call already."""


class OwnedError(BotError):
    """Another server listens to this bot."""


class ChangeError(BotError):
    """The call can't be changed so."""


class OfferError(BotError):
    """The offer is not one that can be answered."""
