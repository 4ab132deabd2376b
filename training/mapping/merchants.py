"""Merchants out of the names on card statements: many spellings, one id.

A name is cleaned in a fixed order, each step a rule below: Unicode folded, the payment
facilitator in front taken off (``SQ *``, ``PAYPAL *``), order references, telephone and store
numbers dropped (with the place that follows them: ``B&M 449 - BARNSTAPLE``), web addresses,
company forms and the country at the end reduced to the name, aliases applied, ``and`` taken for
``&``, spaces closed up. Two names are one merchant when what is left is equal. The rules only take
away what identifies a till, an order, a legal form or a country, never a word of the name itself;
brands with several lines (``tesco``, ``tesco petrol``) stay apart.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

FACILITATORS = (
    r"^wp-\s*"
    r"|^(?:paypal|sq|sqc|sqr|sumup|izettle|zettle|stripe|iz)\s*\*\s*"
    r"|^(?:pp|sp|eb|ab|cs|wf|ws|wp|dri|tst|amz|bb|gr|in|py|ppl|zet|fs|pay|ck|ev)\s*\*\s*"
    r"|^(?:sq|sp|iz|eb|ab|cs|wf|ws|wp|dri|tst|pp|bb|gr)\s{2,}"
    r"|^(?:paypal|sumup|izettle|zettle|amz|pp|iz|dri|sq)\s+"
)
LEGAL = (
    r"(?:ltd|limited|limite?|limi|plc|llc|llp|inc|gmbh|ag|sarl|srl|spa|bv|nv|pty|oy|pte|kg|corp"
    r"|corporation|incorporated|company)"
)
SHOP = (
    r"(?:stores?|superstores?|superma|supermarkets?|s/?mkts?|smkts?|retail(?: group)?|shop online)"
)
DOMAIN = (
    r"\.(?:co(?:\.(?:uk?|nz|za|jp|kr|in)?)?|com?(?:\.(?:au|cn|hk|sg|br|mx|tr|tw)?)?"
    r"|org(?:\.(?:uk?)?)?|net|ltd\.uk|plc\.uk|me\.uk|uk|eu|de|fr|it|es|nl|ie|cn|jp|io|shop|biz"
    r"|info|us|tv|me|store)(?:/\S*)?(?:\s|$)"
)
STEPS: tuple[tuple[str, str], ...] = (
    ("[\u0300-\u036f\\p{Cc}\\p{Cf}]", " "),
    ("[’‘´`']", ""),
    (FACILITATORS, ""),
    (r"\s+and\s+", " & "),
    (r"\s#?\d{3,5}\s*-\s*\D+$", " "),
    (r"([a-z])-\d{3,}\s*$", "${1} "),
    (r"^https?://", ""),
    (r"^www[. ]\s*", ""),
    (r"/bill\b", " bill "),
    (r"\b([a-z]{3,})\d{6,}[a-z0-9]*\b", "${1} "),
    (r"\b([a-z]{4,})\d{3,}\b", "${1} "),
    (r"[((][^)(]{1,20}(?:店|分店|门店|专柜)[))]\s*$", ""),
    (r"(?:股份|责任)?有限(?:责任)?公司$|株式会社", ""),
    (r"\.gov?(?:\.(?:uk?|cn|au)?)?(?:/\S*)?(?:\s|$)", " gov "),
    (DOMAIN, " "),
    (r"\bl\.?l\.?c\.?$|\bs\.a\.r\.l\.?$|\bs\.p\.a\.?$|\bb\.v\.?$", " "),
    (r"(?:\d{3,5}[-. ]){1,2}\d{4,}\s*$", " "),
    (r"\s[#*]?[a-z]{0,3}-?\d{3,}[a-z]?(?:\s|$)", "  "),
    (r"\s(?:com|co uk)\s*$", " "),
)
REFERENCE = (
    r"\s(?:\d*[a-z]+\d+[a-z0-9]*\d[a-z0-9]*|\d+[a-z]+\d[a-z0-9]*|\d{3,}[a-z]+)"
    r"(?:\s+[a-z]{1,2})?\s*$"
)
TAIL = rf"[\s.,&-]+\(?(?:{LEGAL}|{SHOP}|lt|co|the|uk|gb)[\s.)]*$"
AMAZON = (
    (
        r"^(?:amazon|amzn)[ .*]*(?:\S+ )?prime\b.*|^amznprime.*|^prime (?:now|video).*",
        "amazon prime",
    ),
    (
        r"^(?:amazon|amzn)[ .*]*(?:uk |eu )?(?:digital|music|mp3|video|kindle|freetime|media"
        r"|downl?o?a?d)\b.*"
        r"|^uk digital dw?n.*|^amzndigital.*",
        "amazon digital",
    ),
    (r"^(?:amazon|amzn) ?(?:web serv|aws).*|^aws\b.*", "amazon web services"),
    (
        r"^(?:amazon|amzn|amz)[ .*]*(?:$|(?:amazon|uk|eu|us|co|com|de|fr|svcs?|services?"
        r"|eu-uk|mktp\S*"
        r"|mktplace\S*|marketplace\S*|retail|business|europe|sarl?|pmts?|payments?|am?)\b.*)"
        r"|^amzn ?(?:mktp|mktplace|marketplace|business).*",
        "amazon",
    ),
)


@dataclass(frozen=True, slots=True)
class MerchantRules:
    """How names become merchants.

    Parameters
    ----------
    aliases : Mapping of str to str
        Regular expression on the cleaned name → the name it stands for; the first that is found
        wins, after the rules built in.
    """

    aliases: Mapping[str, str] = field(default_factory=dict)

    def keys(self, names: pl.Series) -> pl.Series:
        """What is left of each name, without spaces; equal keys are one merchant.

        A name of which nothing would be left (``007``) keeps all its letters and digits. Null
        stays null.
        """
        distinct = names.unique().drop_nulls()
        found = distinct.to_frame("name").with_columns(key=self._keys(distinct))
        joined = names.to_frame("name").join(found, on="name", how="left", maintain_order="left")
        return joined["key"]

    def ids(self, names: pl.Series) -> pl.Series:
        """Merchant ids of names: ``m_`` and the key, or its hash where it is not plain ASCII."""
        keys = self.keys(names)
        distinct = keys.unique().drop_nulls()
        ids = [merchant_id(key) for key in distinct.to_list()]
        return keys.replace_strict(distinct, pl.Series(ids, dtype=pl.String), default=None)

    def readable(self, names: pl.Series) -> pl.Series:
        """What is left of each name as words for people, in title case; null stays null.

        A name of which nothing would be left is kept as it is written.
        """
        words = self._reduced(folded(names)).str.to_titlecase()
        return words.zip_with(words.str.len_bytes() > 0, names)

    def _keys(self, names: pl.Series) -> pl.Series:
        """Keys of distinct names."""
        plain = folded(names)
        return _closed_up(self._reduced(plain), plain)

    def _reduced(self, plain: pl.Series) -> pl.Series:
        """Words of folded names without till, order and legal form."""
        text = plain
        for pattern, replacement in STEPS:
            text = text.str.replace_all(pattern, replacement)
        text = _squeezed(text)
        text = text.str.replace(REFERENCE, "")
        for _ in range(3):
            text = _squeezed(text.str.replace(TAIL, ""))
        text = text.str.replace(r"(\S)\s#?\d{1,2}$", "${1}").str.replace("^the ", "")
        for pattern, name in (*AMAZON, *self.aliases.items()):
            text = pl.select(
                pl.when(text.str.contains(pattern)).then(pl.lit(name)).otherwise(text)
            ).to_series()
        return text


def merchant_id(key: str) -> str:
    """Id of a merchant that has only a name; ``key`` is what :meth:`MerchantRules.keys` gave."""
    if re.fullmatch(r"[a-z0-9]{1,60}", key):
        return f"m_{key}"
    return f"m_x{hashlib.blake2b(key.encode(), digest_size=10).hexdigest()}"


def folded(text: pl.Series) -> pl.Series:
    """Text in NFKC, lower case, with single accents removed and spaces kept."""
    plain = text.str.normalize("NFKC").str.to_lowercase().str.replace_all("ß", "ss")
    marks = plain.str.normalize("NFD").str.replace_all("[\u0300-\u036f]", "")
    return marks.str.normalize("NFC").str.strip_chars()


def _squeezed(text: pl.Series) -> pl.Series:
    """Text with single spaces and none at the ends."""
    return text.str.replace_all(r"\s+", " ").str.strip_chars(" .,*-#:/")


def _closed_up(text: pl.Series, plain: pl.Series) -> pl.Series:
    """Only the letters and digits of the text; of the plain name where none are left."""
    closed = text.str.replace_all(r"[^\p{L}\p{N}]", "")
    whole = plain.str.replace_all(r"[^\p{L}\p{N}]", "")
    key = closed.zip_with(closed.str.len_bytes() > 0, whole)
    return key.set(key == "", None)
