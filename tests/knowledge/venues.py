"""Near-identical FAQs about different things: the kind of collection that is searched by its titles."""

from itertools import product

NAMES = tuple(
    f"{first} {second}"
    for first, second in zip(
        (
            "Gandhi", "Pulaski", "Larkspur", "Tchaikovsky", "Kowalczyk", "Beaumont", "Xavier", "Okonkwo", "Thornbury",
            "Whitstable", "Marrakesh", "Ljubljana", "Kensington", "Dunedin", "Nakamura", "Oaxaca", "Reykjavik",
            "Salamanca", "Tipperary", "Uppsala", "Valparaiso", "Wollongong", "Yorkshire", "Zanzibar", "Antwerp",
            "Bratislava", "Casablanca", "Dubrovnik", "Edinburgh", "Fremantle", "Guernsey", "Heidelberg", "Innsbruck",
            "Jamestown", "Kathmandu", "Limerick", "Montevideo", "Norwich", "Oslo", "Perpignan",
        ),
        ("Lodge", "Inn", "Hotel", "Guest House") * 10,
        strict=True,
    )
)  # fmt: skip

FAQ = (
    ("Breakfast", "Breakfast is served from {n} in the morning in the dining room on the ground floor."),
    ("Parking", "Parking costs {n} pounds a night in the yard behind the house."),
    ("Pets", "Dogs are welcome in {n} of our rooms for a small fee."),
    ("Wifi", "The wifi is free for up to {n} devices in every room."),
    ("Check in", "Check in is from {n} in the afternoon at the front desk."),
    ("Check out", "Check out is until {n} in the morning at the front desk."),
    ("Pool", "The swimming pool is {n} metres long and heated all year."),
    ("Gym", "The gym has {n} machines and is open day and night."),
    ("Taxi", "A taxi to the station takes {n} minutes and can be ordered at the desk."),
    ("Children", "Children up to the age of {n} stay free in the room of their parents."),
    ("Smoking", "Smoking is allowed on {n} of our balconies and nowhere else."),
    ("Towels", "Fresh towels are brought every {n} days, or whenever you ask."),
)


def markdown(number: int) -> str:
    """The FAQ of the venue of this number, which none of its sections names."""
    sections = (
        f"## {heading}\n\n{text.format(n=number % 9 + 2 + offset)}" for offset, (heading, text) in enumerate(FAQ)
    )
    return "\n\n".join((f"# {NAMES[number]}", *sections))


def titles() -> dict[str, list[int]]:
    """Title → chunk ids: venue v's section s is chunk 100 v + s."""
    chunks: dict[str, list[int]] = {name: [] for name in NAMES}
    for (venue, name), section in product(enumerate(NAMES), range(len(FAQ))):
        chunks[name].append(100 * venue + section)
    return chunks
