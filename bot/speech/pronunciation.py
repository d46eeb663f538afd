"""How a word that the recogniser's dictionary lacks is pronounced: espeak-ng's phonemes as ARPAbet."""

from collections.abc import Sequence

STRESS_MARKS = "',%="

# espeak-ng's phoneme names for American English, as the phones that the bundled acoustic model was trained on.
ARPABET = {
    "0": "AA",
    "3": "ER",
    "3:": "ER",
    "?": "T",
    "@": "AH",
    "@-": "AH",
    "@2": "AH",
    "@L": "AH L",
    "A:": "AA",
    "A@": "AA R",
    "A~": "AA N",
    "D": "DH",
    "E": "EH",
    "I": "IH",
    "I#": "IH",
    "I2": "IH",
    "N": "NG",
    "O": "AO",
    "O2": "AO",
    "O:": "AO",
    "O@": "AO R",
    "OI": "OY",
    "S": "SH",
    "T": "TH",
    "U": "UH",
    "U@": "UH R",
    "V": "AH",
    "Z": "ZH",
    "a": "AE",
    "a#": "AH",
    "aI": "AY",
    "aI3": "AY ER",
    "aI@": "AY AH",
    "aU": "AW",
    "aa": "AE",
    "b": "B",
    "d": "D",
    "dZ": "JH",
    "e@": "EH R",
    "eI": "EY",
    "f": "F",
    "g": "G",
    "h": "HH",
    "i": "IY",
    "i:": "IY",
    "i::": "IY",
    "i@": "IY AH",
    "i@3": "IH R",
    "j": "Y",
    "k": "K",
    "l": "L",
    "l#": "L",
    "m": "M",
    "n": "N",
    "n-": "AH N",
    "o": "OW",
    "o@": "AO R",
    "oU": "OW",
    "p": "P",
    "r": "R",
    "r-": "R",
    "s": "S",
    "t": "T",
    "t#": "T",
    "t2": "T",
    "tS": "CH",
    "u": "UW",
    "u:": "UW",
    "v": "V",
    "w": "W",
    "x": "K",
    "z": "Z",
}


def arpabet(phonemes: Sequence[str]) -> list[str]:
    """The phones of one word; empty when espeak-ng used a phoneme that English lacks or said nothing."""
    phones: list[str] = []
    for phoneme in phonemes:
        name = phoneme.strip(STRESS_MARKS)
        if not name or name in {";", "|", ":"}:
            continue
        if name not in ARPABET:
            return []
        for phone in ARPABET[name].split():
            doubled_r = phone == "R" and phones and phones[-1] in {"R", "ER"}
            if not doubled_r:
                phones.append(phone)
    return phones
