"""Profiles and consents: one hash a cardholder, so that one answer needs one round trip."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from recsvc.domain.cardholder import CardholderState, Consent, Profile
from recsvc.domain.errors import ConflictError
from recsvc.domain.moment import microseconds
from recsvc.stores import codec
from recsvc.stores.connection.client import Connection
from recsvc.stores.connection.scripts import Argument, Script
from recsvc.stores.denylist import DenyList
from recsvc.stores.keys.access import NOTICE
from recsvc.stores.keys.cardholders import CARDHOLDER, DELETED_INTERESTS, ERASED
from recsvc.stores.people.state_codec import state_of_fields

NEWER = (
    "A consent that was recorded later stands. What withdraws everything is always taken; leave "
    "recorded_at out when he says so now."
)

# Whether a consent on record is newer than a UTC instant without its Z; never than no instant.
IS_NEWER = """
local function is_newer(at)
  local kept = redis.call('HGET', KEYS[1], 'consent')
  if not kept or at == '' then return false end
  local recorded_at = cjson.decode(kept).recorded_at
  return type(recorded_at) == 'string' and (string.gsub(recorded_at, 'Z$', '')) > at
end
"""

# Whether the profile on record is a child's.
IS_MINOR = f"""
local function is_minor()
  local profile = redis.call('HGET', KEYS[1], 'profile') or ''
  return string.find(profile, '{codec.MINOR.decode()}', 1, true)
end
"""

# Keys: cardholder, erased. Arguments: his hash on the list of the erased; UTC instant of the
# consent given, without its Z, or nothing where it counts in any case; fields and values. Answers
# 0 for the erased, 3 where a newer consent stands, 2 while he objects to marketing, else 1.
PUT = (
    IS_NEWER
    + """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
if is_newer(ARGV[2]) then return 3 end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return redis.call('HGET', KEYS[1], 'objection') == '1' and 2 or 1
"""
)

# Keys: as above. Arguments: his hash; his profile; the same as a child's where it does not say.
# Answers 0 for the erased, 2 where a child's profile now stands, else 1.
PUT_PROFILE = (
    IS_MINOR
    + """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
local told = ARGV[2]
if ARGV[3] and is_minor() then told = ARGV[3] end
redis.call('HSET', KEYS[1], 'profile', told)
return is_minor() and 2 or 1
"""
)

# Keys: as above. Arguments: his hash; UTC instant of the consent given, without its Z, or nothing;
# his profile as a child's where it does not say whether he is one, or nothing; fields and values.
# Answers 0 for the erased, 2 where a newer consent stands, else 1.
IMPORT = (
    IS_NEWER
    + IS_MINOR
    + """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
local stands, stays_minor = is_newer(ARGV[2]), ARGV[3] ~= '' and is_minor()
for i = 4, #ARGV, 2 do
  local value = ARGV[i] == 'profile' and stays_minor and ARGV[3] or ARGV[i + 1]
  if ARGV[i] ~= 'consent' or not stands then redis.call('HSET', KEYS[1], ARGV[i], value) end
end
return stands and 2 or 1
"""
)

# Keys: as above, deleted interests. Arguments: his hash, column, microseconds of the deletion.
# Answers 0 for the erased, else 1. Of two deletions of one column the later counts.
DELETE_INTEREST = """
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
local field, at = 'f:' .. ARGV[2], ARGV[3]
local before = redis.call('HGET', KEYS[1], field)
if before and tonumber(before) > tonumber(at) then at = before end
redis.call('HSET', KEYS[1], field, at, 'forgot', '1')
redis.call('HSET', KEYS[3], ARGV[1] .. '|' .. ARGV[2], at)
redis.call('HINCRBY', KEYS[3], 'revision', 1)
return 1
"""


class CardholderStore:
    """Reads and writes what is known of cardholders; answers `ports.CardholderStates`.

    Parameters
    ----------
    durable : where states are read, at every request
    writes : the same store with a longer wait, for what must reach the disk
    deny_list : of the erased
    """

    def __init__(self, durable: Connection, writes: Connection, deny_list: DenyList) -> None:
        self._durable = durable
        self._writes = writes
        self._deny_list = deny_list
        self._put = Script(PUT)
        self._put_profile = Script(PUT_PROFILE)
        self._import = Script(IMPORT)
        self._delete_interest = Script(DELETE_INTEREST)

    @property
    def is_away(self) -> bool:
        """Whether the store gave no answer when it was asked last."""
        return self._durable.is_away

    def state_of(self, issuer_id: str, cardholder_id: str) -> CardholderState:
        """State of one cardholder; StoreAwayError when the store gives no answer in time."""
        return self.states_of(issuer_id, (cardholder_id,))[0]

    def states_of(
        self, issuer_id: str, cardholder_ids: Sequence[str]
    ) -> tuple[CardholderState, ...]:
        """States in the order asked, one round trip for all; StoreAwayError as above."""
        hashes = [self._deny_list.hash_of(issuer_id, one) for one in cardholder_ids]
        commands = [
            *[("HGETALL", CARDHOLDER.key(issuer_id, one)) for one in cardholder_ids],
            ("HMGET", ERASED.key(issuer_id), *hashes),
            ("HGET", NOTICE.key(issuer_id), "version"),
        ]
        *told, erased, notice = self._durable.read_together(commands)
        version = notice.decode() if notice else None
        asked = zip(cardholder_ids, told, erased, strict=True)
        return tuple([state_of_fields(one, flat, mark, version) for one, flat, mark in asked])

    def put_profile(self, issuer_id: str, cardholder_id: str, profile: Profile) -> Profile:
        """Replace the profile of a cardholder; answers it as it stands.

        One that does not say whether he is a child (``minor`` is None) leaves that as it was.
        """
        keys, (hashed,) = self._call(issuer_id, cardholder_id, {})
        arguments = [hashed, codec.encode_profile(profile), *_as_minor(profile)]
        answer = self._writes.ask(lambda store: self._put_profile.run(store, keys, arguments))
        _refuse_erased(answer)
        return replace(profile, minor=answer == 2)

    def put_consent(
        self,
        issuer_id: str,
        cardholder_id: str,
        consent: Consent,
        *,
        objects: bool | None = None,
        unless_newer: bool = False,
    ) -> Consent:
        """Replace the consent of a cardholder; answers it with the objection that stands beside it.

        Parameters
        ----------
        objects : whether he objects to marketing from now on; None leaves that as it was
        unless_newer : refuse it, whole, where one that was recorded later stands

        Raises
        ------
        ConflictError
            ``newer_consent``, or he was erased
        """
        at = _instant_text(consent) if unless_newer else ""
        stands = self._set(issuer_id, cardholder_id, _consent_fields(consent, objects), at)
        return replace(consent, objection=stands)

    def put_many(
        self, issuer_id: str, entries: Sequence[tuple[str, Profile, Consent | None]]
    ) -> int:
        """Replace many profiles, and each consent that is given, in one round trip.

        A consent that was recorded later stands, so a file of yesterday undoes no withdrawal of
        today; how many did is answered. One with an objection records it; one without leaves it
        as it was. So does a profile that does not say whether he is a child.
        """
        calls = []
        for cardholder_id, profile, consent in entries:
            fields = {"profile": codec.encode_profile(profile)}
            if consent is not None:
                fields |= _consent_fields(consent, consent.objection or None)
            keys, (hashed, *rest) = self._call(issuer_id, cardholder_id, fields)
            (as_minor,) = _as_minor(profile) or (b"",)
            calls.append((keys, [hashed, _instant_text(consent), as_minor, *rest]))
        answers = self._durable.ask_patiently(lambda store: self._import.run_all(store, calls))
        return sum(answer == 2 for answer in answers)

    def delete_interest(
        self, issuer_id: str, cardholder_id: str, column: str, deleted_at: datetime
    ) -> None:
        """Forget what the cardholder did at a column until now; the trainer is told too."""
        keys, (hashed,) = self._call(issuer_id, cardholder_id, {})
        keys.append(DELETED_INTERESTS.key(issuer_id))
        arguments = (hashed, column, microseconds(deleted_at))
        answer = self._writes.ask(lambda store: self._delete_interest.run(store, keys, arguments))
        _refuse_erased(answer)

    def _set(
        self, issuer_id: str, cardholder_id: str, fields: dict[str, bytes], at: str = ""
    ) -> bool:
        """Write fields; whether he objects to marketing. Raises as `put_consent`."""
        keys, (hashed, *rest) = self._call(issuer_id, cardholder_id, fields)
        arguments = [hashed, at, *rest]
        answer = self._writes.ask(lambda store: self._put.run(store, keys, arguments))
        _refuse_erased(answer)
        if answer == 3:
            raise ConflictError("newer_consent", NEWER)
        return bool(answer == 2)

    def _call(
        self, issuer_id: str, cardholder_id: str, fields: dict[str, bytes]
    ) -> tuple[list[str], list[Argument]]:
        keys = [CARDHOLDER.key(issuer_id, cardholder_id), ERASED.key(issuer_id)]
        arguments: list[Argument] = [self._deny_list.hash_of(issuer_id, cardholder_id)]
        for name, value in fields.items():
            arguments += (name, value)
        return keys, arguments


def _refuse_erased(answer: object) -> None:
    if not answer:
        raise ConflictError("cardholder_erased", "He was erased; nothing is kept of him.")


def _as_minor(profile: Profile) -> tuple[bytes, ...]:
    """The profile as a child's, where it does not say whether he is one."""
    return (codec.encode_profile(replace(profile, minor=True)),) if profile.minor is None else ()


def _consent_fields(consent: Consent, objects: bool | None) -> dict[str, bytes]:  # noqa: FBT001 - three states
    if consent.recorded_at is not None:
        consent = replace(consent, recorded_at=consent.recorded_at.astimezone(UTC))
    fields = {"consent": codec.encode_consent(consent)}
    if objects is not None:
        fields["objection"] = codec.encode_objection(objects=objects)
    return fields


def _instant_text(consent: Consent | None) -> str:
    """When consent was recorded: UTC as it is stored, without the Z, so that text sorts as time."""
    if consent is None or consent.recorded_at is None:
        return ""
    return consent.recorded_at.astimezone(UTC).replace(tzinfo=None).isoformat()
