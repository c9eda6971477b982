#!/usr/bin/env python3
"""Makes recipe.json: the recipe of keys once more, from its text alone, with Python's hmac, unicodedata and str.upper.

    python3 make-recipe-vectors.py > recipe.json

It shares no code and no table with the service. The agencies' key below is worthless and public.
"""

import datetime
import hashlib
import hmac
import json
import re
import struct
import sys
import unicodedata

KEY = bytes(range(32))
VERSION = "gyeol-1"
KEY_TYPES = {
    "K1": ["registrationNumber"],
    "K2": ["name", "birthDate", "sex"],
    "K3": ["nameTokens", "birthDate", "sex"],
    "K4": ["birthDate", "sex"],
    "K5": ["insuranceNumber"],
}
WHITE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}
INVISIBLE = set("\xad\u034f\u061c\u180e\u3164\ufeff\uffa0")
for first, last in [(0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064), (0x2066, 0x206F), (0xFE00, 0xFE0F)]:
    INVISIBLE |= {chr(c) for c in range(first, last + 1)}
BLOCKS = [(0x41, 0x24F), (0x1E00, 0x1EFF)]


def in_blocks(character):
    return any(first <= ord(character) <= last for first, last in BLOCKS)


def half(text):
    kept = (c for c in text if c not in WHITE and c not in INVISIBLE)
    return "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in kept)


def upper(text):
    def one(c):
        capital = c.upper()
        is_small = unicodedata.category(c) == "Ll" and in_blocks(c)
        return capital if is_small and len(capital) == 1 and in_blocks(capital) else c

    return "".join(map(one, text))


def nfc(text):
    return unicodedata.normalize("NFC", text)


def real_date(text):
    if not re.fullmatch(r"(18|19|20)[0-9]{6}", text):
        return False
    try:
        datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return True
    except ValueError:
        return False


def registration_number(raw):
    text = "".join(c for c in nfc(half(raw)) if c not in "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
    if not re.fullmatch(r"[0-9]{13}", text):
        return None
    century = {"9": "18", "0": "18", "1": "19", "2": "19", "5": "19", "6": "19"}.get(text[6], "20")
    return text if real_date(century + text[:6]) else None


def name(raw):
    return nfc(upper(nfc(half(raw)))) or None


def name_tokens(raw):
    tokens = [""]
    for c in raw:
        if c in WHITE:
            tokens.append("")
        else:
            tokens[-1] += c
    return "".join(sorted(name(t) or "" for t in tokens)) or None


def birth_date(raw):
    match = re.fullmatch(r"([0-9]{4})[-./]?([0-9]{2})[-./]?([0-9]{2})", nfc(half(raw)))
    text = "".join(match.groups()) if match else ""
    return text if real_date(text) else None


def sex(raw):
    text = upper(nfc(half(raw)))
    return text if text in ("M", "F") else None


def identifier(raw):
    return nfc(half(raw)) or None


RULES = {
    "registrationNumber": registration_number,
    "name": name,
    "nameTokens": name_tokens,
    "birthDate": birth_date,
    "sex": sex,
    "insuranceNumber": identifier,
}


def key(key_type, person):
    fields = [RULES[f](person.get(f, "")) for f in KEY_TYPES[key_type]]
    if None in fields:
        return None
    message = b"".join(struct.pack(">I", len(p)) + p for p in (t.encode() for t in [VERSION, key_type, *fields]))
    return hmac.new(KEY, message, hashlib.sha256).hexdigest()


def person(note, number="", full_name="", birth="", the_sex="", insurance=""):
    raw = {
        "registrationNumber": number,
        "name": full_name,
        "nameTokens": full_name,
        "birthDate": birth,
        "sex": the_sex,
        "insuranceNumber": insurance,
    }
    return {
        "note": note,
        "fields": raw,
        "normalised": {f: RULES[f](v) for f, v in raw.items()},
        "keys": {t: key(t, raw) for t in KEY_TYPES},
    }


PERSONS = [
    person("plain", "9001011000001", "가나다", "19900101", "M", "A-123"),
    person("hyphen", "900101-1000001", "가나다", "1990-01-01", "M", "A-123"),
    person("dashes and blanks", " 900101 \u2013 1000001\r\n", " 가 나\u3000다 ", "1990.01.01", "m", " A-123\t"),
    person("full width", "９００１０１－１０００００１", "ＫＩＭ　ｔｅｓｔ", "１９９００１０１", "Ｆ", "Ａ１"),
    person("Hangul decomposed", "9001011000001", unicodedata.normalize("NFD", "각힣똠"), "19900101", "M"),
    person("compatibility jamo stay", "9001011000001", "ㄱㅏ", "19900101", "M"),
    person("conjoining jamo with a zero width between", "", "\u1100\u200b\u1161", "19900101", "M"),
    person("zero width and byte order mark", "\ufeff9001011000001\u200b", "가\u200b나\u200c다\ufeff", "19900101", "M"),
    person("Hangul filler", "", "\u3164", "19900101", "M"),
    person("foreigner", "8503035000003", "Nguyễn Văn A", "19850303", "F"),
    person("foreigner, parts in another order", "8503035000003", "A  văn\tNGUYỄN", "19850303", "F"),
    person("foreigner, decomposed", "8503036000003", unicodedata.normalize("NFD", "Ørsted Åsa ñandú"), "19850303", "F"),
    person("letters without a simple capital", "", "Straße ŉ ǰ ﬁ", "19850303", "F"),
    person("dotless and dotted i", "", "ı\u0307 iİ", "19850303", "F"),
    person("African and Croatian letters", "", "ƀƚǆɏſẛ", "19850303", "F"),
    person("Kelvin and Angstrom signs", "", "\u212a\u212b", "19850303", "F", "\u212a"),
    person("Cyrillic and Greek keep their case", "", "жα", "19850303", "F"),
    person("beyond the basic plane", "", "𠀀가😀", "19850303", "F", "𠀀"),
    person("long name, length in two bytes", "", "가" * 200, "19850303", "F", "x" * 3000),
    person("length just over one byte", "", "a" * 256, "19850303", "F", "b" * 255),
    person("born in the 1800s", "991231-9000001", "가", "18991231", "M"),
    person("born in the 2000s, leap day", "000229-3000001", "가", "20000229", "M"),
    person("no leap day in 1900", "000229-1000001", "가", "19000229", "M"),
    person("no 31 February", "900231-1000001", "가", "19900231", "M"),
    person("no month 13", "901301-1000001", "가", "19901301", "M"),
    person("day 00", "900100-1000001", "가", "19900100", "M"),
    person("twelve digits", "900101100000", "가", "1990010", "M"),
    person("fourteen digits", "90010110000012", "가", "199001011", "M"),
    person("a letter in it", "90010A1000001", "가", "1990O101", "M"),
    person("Arabic-Indic digits are no digits", "٩٠٠١٠١١٠٠٠٠٠١", "가", "١٩٩٠٠١٠١", "M"),
    person("zeros", "0000000000000", "가", "00000000", "M"),
    person("ones, a plausible shape", "1111111111118", "가", "19111111", "M"),
    person("nines", "9999999999999", "가", "99999999", "M"),
    person("a hyphen", "-", "-", "-", "-", "-"),
    person("blanks", "   ", " \u3000\u200b", " ", " ", " \u2003"),
    person("nothing at all"),
    person("sex in words", "9001011000001", "가", "19900101", "male"),
    person("sex in Korean", "9001011000001", "가", "19900101", "남"),
    person("date and time", "9001011000001", "가", "1990-01-01 00:00:00", "M"),
    person("mixed separators", "900101-1000001", "가", "1990-01.01", "M"),
    person("year 2100", "9001011000001", "가", "21000101", "M"),
    person("quotes and markup", "9001011000001", "O'Neil \"<b>\"; --", "19900101", "M", "=cmd|'x'!A1"),
]
# The same name in EUC-KR bytes read as Latin-1: the recipe sees other text, so the key must differ from "plain".
PERSONS.append(person("EUC-KR bytes taken for text", "9001011000001", "가나다".encode("euc-kr").decode("latin-1"), "19900101", "M"))

json.dump(
    {
        "about": "Made by make-recipe-vectors.py; the key is worthless.",
        "agenciesKey": KEY.hex(),
        "recipe": {
            "version": VERSION,
            "fields": {
                "registrationNumber": "registration-number",
                "name": "name",
                "nameTokens": "name-tokens",
                "birthDate": "birth-date",
                "sex": "sex",
                "insuranceNumber": "identifier",
            },
            "keyTypes": KEY_TYPES,
        },
        "persons": PERSONS,
    },
    sys.stdout,
    ensure_ascii=True,
    indent=1,
)
sys.stdout.write("\n")
