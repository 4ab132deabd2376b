import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.mapping.merchants import MerchantRules
from training.usage.schema import ID_PATTERN

ONE_SHOP = [
    ["TESCO STORES 6269", "TESCO-STORES 6457", "TESCO STORE 2487", "CS  TESCO STORES", "Tesco Ltd"],
    ["SAINSBURYS S/MKTS", "SAINSBURY'S S/MKT", "SAINSBURYS.CO.UK", "SAINSBURYS SUPERMA"],
    ["AMZN Mktp UK", "AMAZON.CO.UK D93HF3VK5 AM", "Amazon  Mktplce EU-UK", "AMZNMktplace"],
    ["Amazon.co.uk MU2D035F5", "AMAZON SVCS EU-UK AMAZON.", "AMZ Amazon.co.uk", "AMZN Mktp*2K4"],
    ["Amazon Prime C670792B5", "AMAZON PRIME AMZN.CO.UK/P", "AMAZON UK PRIME AMZN.CO.U"],
    ["THE BOOK PEOPLE", "WWW.THEBOOKPEOPLE.CO.UK", "Book People Limited"][:1],
    [
        "SQ *BLUE BOTTLE",
        "SQ  Blue Bottle",
        "BLUE BOTTLE #12",
        "Blue Bottle, Inc.",
        "ＢＬＵＥ　ＢＯＴＴＬＥ",
    ],
    ["WWW.ARGOS.CO.UK", "ARGOS LTD", "ARGOS RETAIL GROUP", "PAYPAL *ARGOS", "Argos"],
    ["PREMIER INN44018255", "PREMIER INN 44536540", "Premier Inn"],
    ["星巴克咖啡(国贸店)", "星巴克咖啡（三里屯店）", "星巴克咖啡有限公司"],
    ["CAFÉ NERO", "Cafe Nero"],
    ["B&M 449 - BARNSTAPLE", "B & M 008 - EXETER", "B AND M RETAIL LTD", "B&M"],
    ["HARE AND HOUNDS", "Hare & Hounds", "THE HARE HOUNDS"],
    ["TOOLSTATION UK", "TOOLSTATION LTD", "Toolstation (UK)", "WWW.TOOLSTATION.COM"],
    ["WP-SENSETOYS LIMIT", "Sensetoys Limited"],
    ["TESCO STORES-2933", "TESCO STORES 6269"],
    ["HOTELS.COM114376651820", "HOTELS COM", "Hotels.com"][:1],
]
DIFFERENT = [
    ("TESCO STORES 6269", "TESCO PFS 4203"),
    ("Amazon.co.uk", "Amazon Prime"),
    ("Amazon.co.uk", "Amazon Web Services"),
    ("Amazon.co.uk", "AMAZONIA CAFE"),
    ("AMZ FirstAid4Less", "AMZ Hobbycraft"),
    ("PAYPAL *HOBBYCRAFT", "PAYPAL *SCREWFIX"),
    ("QUAY 33", "PIER 33"),
    ("ANDES", "ES"),
    ("SANDWICH BAR", "SWICH BAR"),
    ("UKELELE SHOP", "ELELE SHOP"),
    ("HOTEL 24 - EXETER", "HOTEL 24 - LEEDS"),
    ("WPX - LONDON", "X - LONDON"),
    ("ITUNES.COM/BILL", "ITUNES"),
    ("WWW.ICO.GOV.UK", "WWW.ICO.ORG.UK"),
    ("麦当劳", "肯德基"),
    ("007", "008"),
    ("Store 24", "Shop 24"),
]


@pytest.mark.parametrize("names", ONE_SHOP, ids=lambda names: names[0])
def test_all_spellings_of_one_shop_are_one_merchant(names: list[str]) -> None:
    assert MerchantRules().ids(pl.Series(names)).n_unique() == 1


@pytest.mark.parametrize("names", DIFFERENT, ids=lambda names: names[0])
def test_different_shops_stay_apart(names: tuple[str, str]) -> None:
    assert MerchantRules().ids(pl.Series(names)).n_unique() == 2


def test_an_alias_of_the_mapping_joins_what_no_rule_can() -> None:
    rules = MerchantRules(aliases={"^(the ?)?trainline": "trainline"})

    assert rules.ids(pl.Series(["thetrainline.com", "TRAINLINE"])).to_list() == ["m_trainline"] * 2


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), min_size=1, max_size=8))
def test_every_name_with_a_letter_or_digit_gets_one_valid_id(names: list[str | None]) -> None:
    series = pl.Series(names, dtype=pl.String)
    found = MerchantRules().ids(series)
    spoken = series.str.normalize("NFKC").str.contains(r"[\p{L}\p{N}]")

    assert found.len() == len(names)
    assert found.filter(spoken.fill_null(value=False)).str.contains(ID_PATTERN).all()
    assert found.filter(series.is_null()).null_count() == series.null_count()


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_a_merchant_does_not_depend_on_its_neighbours(name: str) -> None:
    alone = MerchantRules().ids(pl.Series([name])).item()
    among = MerchantRules().ids(pl.Series(["TESCO", name, "ARGOS LTD", name]))

    assert among.to_list()[1::2] == [alone, alone]
