"""What is wrong with the environment, told by the setting's name."""

PREFIX = "RECSVC_"


class SettingsError(Exception):
    """The environment asks for something the service does not know or cannot do."""
