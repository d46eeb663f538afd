"""Requests about the talk in other languages than English."""

import tomllib
from importlib import resources

import pytest

from bot.talk.requests import Request, request_of
from bot.wording.table import LANGUAGES, NAMES, Language

ASKED: dict[Language, dict[Request, tuple[str, ...]]] = {
    "de": {
        Request.REPEAT: (
            "Können Sie das bitte noch einmal sagen?",
            "Wie bitte?",
            "Was?",
            "Das habe ich nicht verstanden.",
        ),
        Request.SLOWER: ("Bitte etwas langsamer.", "Könnten Sie langsamer sprechen?", "Nicht so schnell!"),
        Request.FASTER: ("Schneller, bitte.", "Sie sprechen zu langsam."),
        Request.LOUDER: ("Lauter bitte!", "Ich kann Sie kaum hören.", "Sie sind sehr leise."),
        Request.QUIETER: ("Etwas leiser.", "Nicht so laut."),
        Request.SHORTER: ("Kürzer bitte.", "In einem Satz?", "Das war zu lang."),
        Request.SOURCE: ("Woher haben Sie das?", "Wo steht das?", "Was ist die Quelle?"),
        Request.SPELL: ("Können Sie das buchstabieren?", "Wie schreibt man das?"),
        Request.WAIT: ("Einen Moment, bitte.", "Warten Sie mal.", "Ich hole einen Stift."),
        Request.STOP: ("Stopp!", "Hören Sie auf.", "Schon gut."),
        Request.GOODBYE: (
            "Auf Wiederhören!",
            "Tschüss.",
            "Das war alles, danke. Auf Wiederhören.",
            "Schönen Tag noch.",
        ),
    },
    "fr": {
        Request.REPEAT: (
            "Pouvez-vous répéter, s'il vous plaît ?",
            "Pardon ?",
            "Je n'ai pas compris.",
            "Encore une fois.",
        ),
        Request.SLOWER: ("Plus lentement, s'il vous plaît.", "Vous parlez trop vite.", "Pas si vite !"),
        Request.FASTER: ("Un peu plus vite.", "Vous parlez trop lentement."),
        Request.LOUDER: ("Plus fort !", "Pouvez-vous parler plus fort ?", "Je ne vous entends pas bien."),
        Request.QUIETER: ("Moins fort, merci.", "Vous parlez trop fort."),
        Request.SHORTER: ("En bref ?", "C'était trop long.", "Pouvez-vous résumer ?"),
        Request.SOURCE: ("Quelle est votre source ?", "D'où vient cela ?", "Où est-ce écrit ?"),
        Request.SPELL: ("Pouvez-vous l'épeler ?", "Comment ça s'écrit ?"),
        Request.WAIT: ("Un instant, s'il vous plaît.", "Attendez.", "Ne quittez pas."),
        Request.STOP: ("Stop.", "Arrêtez.", "Ça suffit."),
        Request.GOODBYE: ("Au revoir.", "Merci, au revoir !", "Bonne journée.", "C'est tout, merci."),
    },
    "es": {
        Request.REPEAT: ("¿Puede repetirlo, por favor?", "¿Cómo?", "No le he entendido.", "Otra vez, por favor."),
        Request.SLOWER: ("Más despacio, por favor.", "¿Puede hablar más despacio?", "Habla demasiado rápido."),
        Request.FASTER: ("Un poco más rápido.", "Hable más rápido."),
        Request.LOUDER: ("Más alto, por favor.", "No le oigo bien."),
        Request.QUIETER: ("Más bajo.", "Habla demasiado alto."),
        Request.SHORTER: ("En resumen.", "Más corto, por favor.", "¿Puede resumirlo?"),
        Request.SOURCE: ("¿De dónde ha sacado eso?", "¿Cuál es la fuente?", "¿Quién lo dice?"),
        Request.SPELL: ("¿Puede deletrearlo?", "¿Cómo se escribe?"),
        Request.WAIT: ("Un momento, por favor.", "Espere.", "No cuelgue."),
        Request.STOP: ("Pare.", "Ya basta.", "Olvídelo."),
        Request.GOODBYE: ("Adiós.", "Hasta luego, gracias.", "Eso es todo, gracias. Adiós."),
    },
}
QUESTIONS: dict[Language, tuple[str, ...]] = {
    "de": (
        "Was kostet es, einen Platten zu reparieren?", "Wann haben Sie am Sonntag geöffnet?", "Danke.", "Ja.", "",
        "Warten Sie, was kostet das?", "Haben Sie eine lautere Klingel?", "Wie schreibe ich Ihnen?", "bitte",
    ),
    "fr": (
        "Combien coûte la réparation d'une crevaison ?", "Êtes-vous ouverts le dimanche ?", "Merci.", "Oui.", "",
        "Attendez, combien ça coûte ?", "Comment puis-je payer ?", "D'où venez-vous ?", "Quoi de neuf ?",
    ),
    "es": (
        "¿Cuánto cuesta reparar un pinchazo?", "¿Abren los domingos?", "Gracias.", "Sí.", "",
        "Espere, ¿cuánto cuesta?", "¿Cómo puedo pagar?", "¿De dónde son ustedes?", "¿Qué horario tienen?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_words_for_every_request(language: Language):
    text = resources.files("bot.talk").joinpath(f"{NAMES[language].lower()}.toml").read_text(encoding="utf-8")
    assert {*tomllib.loads(text)["phrases"]} == {*Request}


@pytest.mark.parametrize("language", ASKED)
def test_each_request_is_understood_in_its_language(language: Language):
    asked = {text: request for request, texts in ASKED[language].items() for text in texts}
    assert {text: request_of(text, language) for text in asked} == asked


@pytest.mark.parametrize("language", QUESTIONS)
def test_a_question_is_no_request(language: Language):
    assert {text for text in QUESTIONS[language] if request_of(text, language) is not None} == set()
