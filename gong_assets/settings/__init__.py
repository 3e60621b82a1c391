"""Settings of a deployment: environment variables, read by `load_settings` and validated by `Settings`."""

from gong_assets.settings.load import SettingsError, load_settings
from gong_assets.settings.model import FIRST_POSSIBLE_CALL_DATE, HubSpotShape, Settings, Target

__all__ = [
    "FIRST_POSSIBLE_CALL_DATE",
    "HubSpotShape",
    "Settings",
    "SettingsError",
    "Target",
    "load_settings",
]
