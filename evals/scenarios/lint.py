"""What is wrong with a scenario that could be read: keys that nobody knows, checks that can't fail or can't hold."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipecat.evals.script import FUNCTION_CALL_EVENTS

from bot.change import Change
from evals.scenarios.claims import words_spoken
from evals.scenarios.errors import Complaint
from evals.scenarios.format import OUTCOME, Scenario, ScenarioFile
from evals.scenarios.host_lint import of_a_host
from evals.scenarios.keys import FaultAt, ScenarioKeys, TurnKeys, names_of
from evals.scenarios.line_lint import of_a_line
from evals.scenarios.source import Path_, keys_of
from evals.simulated.lint import complaints as complaints_of_simulated
from knowledge.errors import KnowledgeError
from knowledge.loaders import load

# What Pipecat waits for where nothing is said, and the keys that its loader reads.
DEFAULT_WITHIN_MS = 60_000
SCRIPT = frozenset({"name", "turns", "user", "judge", "context", "stop_on_failure", "trigger_disconnect"})
SIMULATION = frozenset({
    "name", "persona", "goal", "success", "simulator", "metrics", "judge", "user", "runs", "max_turns",
    "max_duration_s", "max_silence_s", "trigger_disconnect",
})  # fmt: skip
TURN = frozenset({"user", "dtmf", "audio", "image", "expect", "send_after"})
EXPECTATION = frozenset({
    "event", "within_ms", "text_contains", "text_excludes", "calls", "name", "args", "eval", "marker", "marker_first",
    "markers", "text_after", "check_from", "absent",
})  # fmt: skip
SEND_AFTER = frozenset({"event", "delay_ms"})
USER, JUDGE = frozenset({"modality", "speech"}), frozenset({"modality", "eval", "transcription"})
REPLIES = frozenset({"response", "llm_response", "tts_response"})
TEXTS = REPLIES | {"user_transcription", "llm_marker", "bot_backchannel", "user_backchannel"}
EVENTS = TEXTS | {
    "user_started_speaking", "user_stopped_speaking", "vad_user_started_speaking", "vad_user_stopped_speaking",
    "bot_started_speaking", "bot_stopped_speaking", "bot_interrupted", "llm_started", "image", *FUNCTION_CALL_EVENTS,
}  # fmt: skip
SPOKEN_ONLY = frozenset({"tts_response", "vad_user_started_speaking", "vad_user_stopped_speaking"})


def lint(read: ScenarioFile) -> list[Complaint]:
    """All that is wrong with a file, in the order of its lines."""
    found = [*read.complaints, *_unknown(read)]
    for scenario in read.scenarios:
        found += _Linted(scenario).complaints()
    return sorted(dict.fromkeys(found))


def _unknown(read: ScenarioFile) -> Iterator[Complaint]:
    data, place = read.source.data, read.source.place
    known = (SCRIPT | SIMULATION) | names_of(ScenarioKeys)
    known = known | {*OUTCOME} if isinstance(data, Mapping) and "persona" in data else known
    for key, _ in keys_of(data):
        if key not in known | {"scenarios"}:
            yield Complaint(place(key), _no_key(key, known | {"scenarios"}))
    entries = data.get("scenarios") if isinstance(data, dict) else None
    listed = entries if isinstance(entries, list) else []
    names = [f"{data['name']}/{each.get('name')}" if isinstance(each, dict) else None for each in listed]
    for number, entry in enumerate(listed):
        of_entry = known | {*OUTCOME} if isinstance(entry, Mapping) and "persona" in entry else known
        for key, _ in keys_of(entry):
            if key not in of_entry:
                yield Complaint(place("scenarios", number, key), _no_key(key, of_entry), names[number])


def _no_key(key: str, known: frozenset[str]) -> str:
    near = next((each for each in sorted(known) if _letters(each) == _letters(key)), None) or _nearest(key, known)
    return f"{key!r} is no key here" + (f"; is it {near!r}?" if near else "")


def _letters(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _nearest(key: str, known: frozenset[str]) -> str | None:
    return next(iter(get_close_matches(key, sorted(known), n=1, cutoff=0.7)), None)


class _Linted:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._found: list[Complaint] = []
        self._tiers = scenario.keys.x_jarvis.tiers
        self._is_spoken = bool({*self._tiers} - {"text"})

    def complaints(self) -> list[Complaint]:
        """All of one scenario."""
        self._blocks()
        if self._scenario.simulation is not None:
            self._found += complaints_of_simulated(self._scenario)
        else:
            for number, turn in enumerate(self._scenario.data["turns"]):
                self._turn(number, turn)
            self._whole()
        self._documents()
        return [*self._found, *of_a_line(self._scenario), *of_a_host(self._scenario)]

    def _say(self, text: str, *path: str | int) -> None:
        self._found.append(Complaint(self._scenario.place(*path), text, self._scenario.name))

    def _known(self, data: Any, known: frozenset[str], *path: str | int) -> None:
        for key, _ in keys_of(data):
            if key not in known:
                self._say(_no_key(key, known), *path, key)

    def _blocks(self) -> None:
        data = self._scenario.data
        self._known(data.get("user"), USER, "user")
        self._known(data.get("judge"), JUDGE, "judge")
        for number, message in enumerate(data.get("context") or []):
            if not isinstance(message, Mapping) or not {"role", "content"} <= message.keys():
                self._say("a message of the context needs `role` and `content`", "context", number)
        if "text" in self._tiers and (self._scenario.stock.user_audio or self._scenario.stock.bot_audio):
            self._say("a scenario in audio modality can't be held as text: write `tiers: [audio]`", "x_jarvis")

    def _turn(self, number: int, turn: Mapping[str, Any]) -> None:
        at = ("turns", number)
        self._known(turn, TURN | names_of(TurnKeys), *at)
        expected = turn.get("expect") or []
        for place, expectation in enumerate(expected):
            self._expectation(number, place, expectation)
        send_after = turn.get("send_after")
        self._known(send_after, SEND_AFTER, *at, "send_after")
        if isinstance(send_after, Mapping) and (event := send_after.get("event")) not in EVENTS | {None}:
            self._say(_no_event(event), *at, "send_after", "event")
        for key in ("audio", "image"):
            if isinstance(turn.get(key), str) and not (self._scenario.file.parent / turn[key]).is_file():
                self._say(f"{turn[key]} is missing", *at, key)
        self._turn_keys(number, self._scenario.turns[number], [each.get("event") for each in expected])

    def _turn_keys(self, number: int, keys: TurnKeys, events: list[Any]) -> None:
        at, setup = ("turns", number), self._scenario.keys.x_jarvis
        answers = [key for key in keys.checks if key != "x_hears"]
        if answers and not REPLIES & {*events}:
            self._say(f"{answers[0]} is of an answer: add `expect: [{{event: response}}]`", *at, answers[0])
        recording = self._scenario.recording(number)
        if recording is not None and not recording.is_file():
            self._say(f"{keys.x_recording} is missing", *at, "x_recording")
        for key, value in (("x_hears", keys.x_hears), ("x_recording", keys.x_recording), ("x_voice", keys.x_voice)):
            if value is not None and not self._is_spoken:
                self._say(f"{key} is of a spoken call: add `audio` to `tiers`", *at, key)
        for key in ("x_phrase", "x_writes", "x_recalls", "x_calls"):
            if getattr(keys, key) is not None and setup.providers != "doubles":
                self._say(f"{key} is for a language model's double: set `providers: doubles`", *at, key)
        if keys.x_writes is not None and keys.x_phrase is None:
            self._say("x_writes is written with the source of what x_phrase finds: add that", *at, "x_writes")
        if keys.x_change == Change():
            self._say("it changes nothing", *at, "x_change")
        if keys.x_voice is not None and setup.providers != "doubles":
            self._say("only doubles are known by their tone: set `providers: doubles`", *at, "x_voice")
        if keys.x_supported and keys.x_source == []:
            self._say("an answer without a source has nothing that supports it", *at, "x_supported")
        for place, words in enumerate(keys.x_says):
            if not words_spoken(words):
                self._say("it has no word, so it is always said", *at, "x_says", place)

    def _expectation(self, number: int, place: int, expectation: Mapping[str, Any]) -> None:
        at = ("turns", number, "expect", place)
        self._known(expectation, EXPECTATION, *at)
        event = expectation.get("event")
        if event not in EVENTS:
            self._say(_no_event(event), *at, "event")
        if event in SPOKEN_ONLY and "text" in self._tiers:
            self._say(f"{event} needs a spoken call: write `tiers: [audio]`", *at, "event")
        for key in ("text_contains", "text_excludes", "eval"):
            self._text(expectation, key, *at)
        if event not in TEXTS and (keys := {"text_contains", "text_excludes"} & expectation.keys()):
            self._say(f"{event} has no text, so {min(keys)} can't be checked", *at, min(keys))
        if event not in FUNCTION_CALL_EVENTS and (keys := {"calls", "name", "args"} & expectation.keys()):
            self._say(f"{min(keys)} is of a function call, and {event} is none", *at, min(keys))
        within = expectation.get("within_ms")
        if within is not None and (isinstance(within, bool) or not isinstance(within, int) or within <= 0):
            self._say("within_ms must be a whole number of milliseconds above 0", *at, "within_ms")
        elif within is not None and within > DEFAULT_WITHIN_MS:
            self._say(f"within_ms is above {DEFAULT_WITHIN_MS:,}, the wait that there is without it", *at, "within_ms")
        if expectation.get("absent") and within is None:
            text = f"absent without within_ms waits for {DEFAULT_WITHIN_MS // 1000} seconds; say for how long"
            self._say(text, *at, "absent")

    def _text(self, expectation: Mapping[str, Any], key: str, *at: str | int) -> None:
        if key not in expectation:
            return
        value = expectation[key]
        if not isinstance(value, str):
            self._say(f"{key} must be a text; put it in quotes", *at, key)
        elif not value.strip():
            self._say(f"{key} is empty, so it says nothing", *at, key)

    def _whole(self) -> None:
        scenario, keys = self._scenario, self._scenario.keys
        if not any(turn.expect for turn in scenario.stock.turns):
            self._say("no turn expects anything, so it can't fail", "turns")
        if not any(turn.user is not None or turn.dtmf or turn.expect for turn in scenario.stock.turns):
            self._say("no turn does anything", "turns")
        for number, turn in enumerate(scenario.stock.turns):
            for place, each in enumerate(turn.expect):
                if each.eval is not None and not self._is_checked(number) and keys.x_jarvis.providers != "live":
                    text = "no model judges `eval` offline: add a check beside it, x_says say"
                    self._say(text, "turns", number, "expect", place, "eval")
        if keys.x_measure is not None and not self._is_spoken:
            self._say("x_measure is of a spoken call: add `audio` to `tiers`", "x_measure")
        for number, fault in enumerate(keys.x_faults):
            self._fault(number, fault)
        if keys.x_never_says and not any(REPLIES & {e.event for e in turn.expect} for turn in scenario.stock.turns):
            self._say("no turn expects an answer, so nothing is ever said", "x_never_says")

    def _fault(self, number: int, fault: FaultAt) -> None:
        at, is_spoken = ("x_faults", number), self._is_spoken
        if self._scenario.keys.x_jarvis.providers != "doubles":
            self._say("only doubles fail when they are told: set `providers: doubles`", *at)
        elif fault.turn >= len(self._scenario.turns) or self._scenario.stock.turns[fault.turn].user is None:
            self._say(f"nothing is asked in turn {fault.turn}, counted from 0", *at, "turn")
        if fault.stage != "llm" and not is_spoken:
            self._say(f"{fault.stage} is of a spoken call: add `audio` to `tiers`", *at, "stage")
        if fault.gap_ms_max is not None and not is_spoken:
            self._say("gap_ms_max is of a spoken call: add `audio` to `tiers`", *at, "gap_ms_max")

    def _is_checked(self, number: int) -> bool:
        turn = self._scenario.stock.turns[number]
        return bool(self._scenario.turns[number].checks) or any(
            each.text_contains or each.text_excludes or each.calls or each.marker or each.absent for each in turn.expect
        )

    def _documents(self) -> None:
        folder, keys = self._scenario.knowledge, self._scenario.keys
        if self._scenario.persona is not None and not self._scenario.persona.is_file():
            self._say(f"the file {keys.x_jarvis.persona} is missing", "x_jarvis", "persona")
        if not folder.is_dir():
            self._say(f"the folder {keys.x_jarvis.knowledge} is missing", "x_jarvis", "knowledge")
            return
        documents = documents_in(folder)
        if not documents:
            self._say(f"there is no document that can be read in {folder}", "x_jarvis", "knowledge")
            return
        turns: list[tuple[Path_, TurnKeys]] = [((), self._scenario.outcome)]
        turns += [(("turns", number), turn) for number, turn in enumerate(self._scenario.turns)]
        for at, turn in turns:
            for key in ("must", "must_not"):
                for place, title in enumerate(getattr(turn.x_retrieval, key, [])):
                    if title not in documents:
                        self._say(_no_title(title, documents), *at, "x_retrieval", key, place)
            for place, title in enumerate(turn.x_source or []):
                if title not in documents:
                    self._say(_no_title(title, documents), *at, "x_source", place)
            if turn.x_phrase is not None and not any(_holds(text, turn.x_phrase) for text in documents.values()):
                self._say("no document has these words", *at, "x_phrase")
        self._private(documents)

    def _private(self, documents: Mapping[str, str]) -> None:
        keys = self._scenario.keys
        said = [turn.user or "" for turn in self._scenario.stock.turns]
        caller = keys.x_caller
        said += [each.says for each in caller.script] + [each.fact for each in caller.hidden_facts] if caller else []
        said += [text for turn in self._scenario.turns for text in (turn.x_hears or "", *turn.x_says)]
        said += [*documents.values(), *keys.x_jarvis.settings.values()]
        for place, pattern in enumerate(keys.x_privacy.patterns if keys.x_privacy else []):
            if not any(re.search(pattern, text, re.IGNORECASE) for text in said):
                text = "it matches nothing that is said or known in this scenario, so it can't fail"
                self._say(text, "x_privacy", "patterns", place)


@lru_cache(maxsize=32)
def documents_in(folder: Path) -> Mapping[str, str]:
    """The texts of a folder's documents by their titles, of one title together; what can't be read is left out."""
    found: dict[str, str] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            document = load(str(path), path.read_bytes())
        except (KnowledgeError, OSError, ValueError):
            continue
        found[document.title] = f"{found.get(document.title, '')}\n{document.text}"
    return found


def _holds(text: str, phrase: str) -> bool:
    return " ".join(phrase.lower().split()) in " ".join(text.lower().split())


def _no_event(event: Any) -> str:
    near = _nearest(str(event), EVENTS)
    return f"there is no event {event!r}" + (f"; is it {near!r}?" if near else "")


def _no_title(title: str, documents: Mapping[str, str]) -> str:
    near = _nearest(title, frozenset(documents))
    return f"no document has the title {title!r}" + (f"; is it {near!r}?" if near else "")
