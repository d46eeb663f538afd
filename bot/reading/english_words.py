"""What English signs and abbreviations stand for."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
MONTH_OF = {
    **{name[:3]: number for number, name in enumerate(MONTHS, start=1)},
    **{name: number for number, name in enumerate(MONTHS, start=1)},
    "Sept": 9,
}
DAY_OF = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

# One, many, and the hundredth part, one and many.
CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", "", ""),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "CHF": ("franc", "francs", "cent", "cents"),
}
MAGNITUDES = {
    "k": "thousand", "K": "thousand", "m": "million", "M": "million", "bn": "billion", "B": "billion",
    "thousand": "thousand", "million": "million", "billion": "billion", "trillion": "trillion",
}  # fmt: skip

UNITS = {
    "km": ("kilometer", "kilometers"), "m": ("meter", "meters"), "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"), "mi": ("mile", "miles"), "ft": ("foot", "feet"), "yd": ("yard", "yards"),
    "kg": ("kilogram", "kilograms"), "g": ("gram", "grams"), "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "l": ("liter", "liters"), "L": ("liter", "liters"), "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"), "gal": ("gallon", "gallons"),
    "km/h": ("kilometer per hour", "kilometers per hour"), "kph": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"), "m/s": ("meter per second", "meters per second"),
    "Mbps": ("megabit per second", "megabits per second"), "Gbps": ("gigabit per second", "gigabits per second"),
    "kWh": ("kilowatt hour", "kilowatt hours"), "Wh": ("watt hour", "watt hours"), "kW": ("kilowatt", "kilowatts"),
    "W": ("watt", "watts"), "V": ("volt", "volts"), "Nm": ("newton meter", "newton meters"),
    "Ah": ("amp hour", "amp hours"),
    "mAh": ("milliamp hour", "milliamp hours"), "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"), "GHz": ("gigahertz", "gigahertz"),
    "KB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"), "psi": ("P S I", "P S I"), "bar": ("bar", "bar"), "dB": ("decibel", "decibels"),
    "ms": ("millisecond", "milliseconds"), "sec": ("second", "seconds"), "secs": ("second", "seconds"),
    "min": ("minute", "minutes"), "mins": ("minute", "minutes"),
    "h": ("hour", "hours"), "hr": ("hour", "hours"), "hrs": ("hour", "hours"),
    "wk": ("week", "weeks"), "wks": ("week", "weeks"), "mo": ("month", "months"), "yr": ("year", "years"),
    "yrs": ("year", "years"),
    "sq ft": ("square foot", "square feet"), "sqft": ("square foot", "square feet"),
    "m²": ("square meter", "square meters"), "m2": ("square meter", "square meters"),
    "cm²": ("square centimeter", "square centimeters"), "km²": ("square kilometer", "square kilometers"),
    "m³": ("cubic meter", "cubic meters"),
    "°C": ("degree Celsius", "degrees Celsius"), "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "° C": ("degree Celsius", "degrees Celsius"), "° F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "℃": ("degree Celsius", "degrees Celsius"), "℉": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
}  # fmt: skip
PER = {
    "mo": "month", "month": "month", "yr": "year", "year": "year", "day": "day", "night": "night", "week": "week",
    "wk": "week", "h": "hour", "hr": "hour", "hour": "hour", "min": "minute", "minute": "minute", "person": "person",
    "pp": "person", "kg": "kilogram", "km": "kilometer", "mile": "mile", "item": "item", "unit": "unit", "user": "user",
    "seat": "seat", "lb": "pound", "m²": "square meter",
}  # fmt: skip

# Each as it is written behind its word boundary, the point with it.
ABBREVIATIONS = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "approx.": "approximately", "vs.": "versus",
    "vs": "versus", "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Prof.": "Professor", "Ave.": "Avenue",
    "Blvd.": "Boulevard", "Rd.": "Road", "Jr.": "Junior", "Sr.": "Senior", "Inc.": "Incorporated", "Ltd.": "Limited",
    "Corp.": "Corporation", "dept.": "department", "Dept.": "Department", "incl.": "including", "excl.": "excluding",
    "max.": "maximum", "tel.": "telephone", "Tel.": "Telephone", "w/o": "without", "w/": "with", "Mt.": "Mount",
    "ca.": "about", "qty.": "quantity", "Qty.": "Quantity", "misc.": "miscellaneous", "appt.": "appointment",
    "Apt.": "Apartment", "temp.": "temperature", "hrs": "hours", "hrs.": "hours", "mins": "minutes", "mins.": "minutes",
    "cf.": "compare", "viz.": "namely",
}  # fmt: skip
# These end no sentence: what follows belongs to them, even where it begins with a capital.
TITLES = frozenset({"Mr.", "Mrs.", "Ms.", "Prof.", "Mt.", "e.g.", "i.e.", "vs.", "approx.", "ca.", "Apt.", "cf."})
# Read so in front of a number alone.
BEFORE_NUMBERS = {
    "No.": "number", "no.": "number", "Nos.": "numbers", "nos.": "numbers", "Nr.": "number", "№": "number",
    "p.": "page", "pp.": "pages", "ext.": "extension", "Ext.": "Extension", "min.": "minimum", "Fig.": "figure",
    "fig.": "figure", "vol.": "volume", "Vol.": "Volume", "ch.": "chapter", "sec.": "section", "Sec.": "Section",
    "§§": "sections", "§": "section",
}  # fmt: skip

FRACTIONS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip

SIGNS = {
    "&": "and", "+": "plus", "=": "equals", "\u00d7": "times", "÷": "divided by", "±": "plus or minus", "≈": "about",
    "~": "about", "≤": "at most", "≥": "at least", "<": "less than", ">": "greater than", "≠": "is not", "→": "to",
    "⇒": "to", "←": "from", "°": "degrees", "%": "percent", "‰": "per mille", "@": "at", "#": "pound", "*": "star",
    "$": "dollars", "€": "euros", "£": "pounds", "∞": "infinity", "√": "the square root of", "µ": "micro", "π": "pi",
}  # fmt: skip

# What ends a host's name, so that "larkspur.example" is one and the end of a sentence without a space is none.
DOMAINS = (
    "ai", "app", "at", "biz", "ca", "ch", "cloud", "co.uk", "com", "de", "dev", "edu", "es", "eu", "example", "fr",
    "gov", "info", "io", "me.uk", "net", "nl", "online", "org", "org.uk", "shop", "store", "test", "uk",
)  # fmt: skip
