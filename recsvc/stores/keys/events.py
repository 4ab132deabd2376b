"""Events on their way to the archive."""

from recsvc.stores.keys.family import DAY_SECONDS, WEEK_SECONDS, Family

EVENTS = Family(
    "events",
    "stream",
    "durable",
    7 * DAY_SECONDS,
    "seven days once archived; the archiver trims it",
    "accepted events in order of arrival",
    personal=True,
)
EVENTS_DEAD = Family(
    "events_dead",
    "stream",
    "durable",
    30 * DAY_SECONDS,
    "thirty days",
    "events that could not be archived, with the reason",
    personal=True,
)
EVENTS_SEEN = Family(
    "events_seen",
    "set",
    "durable",
    6 * WEEK_SECONDS,
    "six weeks from its first",
    "one week: ids of the events accepted in it, so that each is accepted once for five weeks",
)
ARCHIVE_COMMITS = Family(
    "archive_commits",
    "hash",
    "durable",
    None,
    "until the file has its name; a bounded number",
    "archive file → name it gets, between the commit and the rename",
)

FAMILIES = (EVENTS, EVENTS_DEAD, EVENTS_SEEN, ARCHIVE_COMMITS)
