"""All families of keys: what the service writes anywhere."""

from recsvc.stores.keys import access, campaigns, cardholders, catalog, events, pushes, requests
from recsvc.stores.keys.family import Family

TABLE: tuple[Family, ...] = (
    *access.FAMILIES,
    *catalog.FAMILIES,
    *cardholders.FAMILIES,
    *requests.FAMILIES,
    *events.FAMILIES,
    *campaigns.FAMILIES,
    *pushes.FAMILIES,
)

OF_ONE_CARDHOLDER = (cardholders.CARDHOLDER, pushes.PUSH_LOG)
"""Families whose key ends in a cardholder's id: gone whole when he is erased."""
