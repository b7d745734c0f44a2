"""What a user can do with sessions, on the memory store and with a clock that stands still."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from jido_jupyter.core import records
from jido_jupyter.core.messages import Message, text_part
from jido_jupyter.core.records import Owner
from jido_jupyter.core.window import Window
from jido_jupyter.errors import (
    AmbiguousTarget,
    IllegalTransition,
    InvalidField,
    LimitReached,
    OutcomeUnknown,
    PayloadTooLarge,
    RateLimited,
    SessionExists,
    SessionNotFound,
    SessionOpen,
    StaleRevision,
    StoreFull,
    StoreUnavailable,
    UnverifiedSession,
)
from jido_jupyter.services.limits import Limits
from jido_jupyter.services.sessions import Sessions
from jido_jupyter.store import keys
from jido_jupyter.store.contract import Damage, Revision, Stored
from jido_jupyter.store.file import FileStore
from jido_jupyter.store.limiter import FileLimiter
from jido_jupyter.testing.clock import FakeClock
from tests.support.stores import FullStore

OWNER = Owner("kernel", "here", 1, "a.ipynb")
OTHER = Owner("kernel", "here", 2, "b.ipynb")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> FullStore:
    return FullStore(max_bytes=20_000)


@pytest.fixture
def sessions(tmp_path, clock: FakeClock, store: FullStore) -> Sessions:
    limits = Limits(FileLimiter(str(tmp_path), clock.boot), Window(5, 60), Window(20, 60))
    numbers = itertools.count(1)
    return Sessions(store, limits, max_sessions=4, clock=clock.now, mint_id=lambda: f"id{next(numbers):04}")


def said(number: int, text: str = "") -> Message:
    return Message(f"m{number}", "user", (text_part(text or f"question {number}"),), "2026-11-22T09:00:00.000Z")


def stored(sessions: Sessions, *texts: str) -> list[str]:
    """Return the ids of closed sessions with these questions."""
    return [sessions.create(None, [said(number, text)]).state.id for number, text in enumerate(texts)]


def test_resume_brings_everything_back(sessions: Sessions, clock: FakeClock) -> None:
    """After a close, or a lost process, the conversation is there and takes more."""
    live = sessions.new(OWNER)
    live.record([said(1), said(2)])
    live.close()
    clock.pass_time(3 * 3600)

    live, briefing = sessions.resume("1", OTHER)
    live.record([said(3)])

    assert [message.id for message in sessions.show(live.id).state.messages] == ["m1", "m2", "m3"]
    assert briefing.lines == ("Full context: 2 questions, 2 messages. Last turn 3 hours ago.",)
    assert briefing.age_s == 3 * 3600


def test_the_sixth_resume_says_how_long_to_wait(sessions: Sessions, clock: FakeClock) -> None:
    """Five in a minute are let in; the sixth learns the seconds, and waiting them helps."""
    stored(sessions, "hello")
    for _ in range(5):
        sessions.resume("1", OWNER)[0].close()
        clock.pass_time(1)

    with pytest.raises(RateLimited, match="try again in 55 s") as refusal:
        sessions.resume("1", OWNER)

    clock.pass_time(refusal.value.retry_after_s)
    sessions.resume("1", OWNER)


def test_failed_attempts_count_too(sessions: Sessions) -> None:
    """Guessing at names is limited like resuming."""
    for _ in range(20):
        with pytest.raises(SessionNotFound):
            sessions.resume("nothing like it", OWNER)

    with pytest.raises(RateLimited):
        sessions.resume("nothing like it", OWNER)


@pytest.mark.parametrize(
    "target", ["2", "id0001", "ID0001", "id0001"[:6], "Alpha one", "alpha o", '"alpha one"', "'Alpha'"]
)
def test_targets(sessions: Sessions, target: str) -> None:
    """A number, an id, the start of an id or title, quoted or not, in any case."""
    stored(sessions, "Alpha one", "Beta")

    assert sessions.resolve(target) == "id0001"


def test_a_title_of_digits_wins_over_a_number(sessions: Sessions) -> None:
    """An exact title is what was meant, even when it looks like a place in the list."""
    stored(sessions, "2", "Beta", "Gamma")

    assert sessions.show(sessions.resolve("2")).state.title == "2"


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("99", SessionNotFound, "numbers 1 to 2"),
        ("0", SessionNotFound, "numbers 1 to 2"),
        ("zzz", SessionNotFound, "%jido list"),
        ("alpha", AmbiguousTarget, "fits 2 sessions"),
        ("+1", SessionNotFound, "%jido list"),
        ("\u0661", SessionNotFound, "%jido list"),
    ],
)
def test_wrong_targets(sessions: Sessions, target: str, error: type[Exception], words: str) -> None:
    """Each wrong target is told with the next step."""
    stored(sessions, "Alpha one", "Alpha two")

    with pytest.raises(error, match=words):
        sessions.resolve(target)


def test_a_number_out_of_range_is_no_beginning_of_an_id(sessions: Sessions) -> None:
    """Whoever types 7 means the seventh session, and gets no other one because its id happens to begin so."""
    sessions.mint_id = lambda: "7k3m9x2q7k3m9x2q"
    stored(sessions, "hello")

    with pytest.raises(SessionNotFound, match="numbers 1 to 1"):
        sessions.resolve("7")
    assert sessions.resolve("7k3") == "7k3m9x2q7k3m9x2q"


def test_an_empty_store_says_how_to_start(sessions: Sessions) -> None:
    """With nothing saved no range of numbers is stated."""
    with pytest.raises(SessionNotFound, match="No session is stored yet"):
        sessions.resolve("1")


def test_a_second_opener_learns_who_has_it(sessions: Sessions) -> None:
    """The refusal names the notebook and the ways on."""
    sessions.new(OWNER)

    with pytest.raises(SessionOpen, match=r"open in a\.ipynb .*--take-over.*%jido show"):
        sessions.resume("1", OTHER)


def test_taking_over_stops_the_first_without_loss(sessions: Sessions) -> None:
    """After a take-over the first holder is told, what it said before is there, nothing is overwritten."""
    first = sessions.new(OWNER)
    first.record([said(1)])

    second, _ = sessions.resume("1", OTHER, take_over=True)
    second.record([said(2)])

    with pytest.raises(IllegalTransition, match="--take-over"):
        first.record([said(3)])
    assert [message.id for message in sessions.show(second.id).state.messages] == ["m1", "m2"]
    first.close()
    assert second.is_open


def test_a_full_disk_loses_nothing(sessions: Sessions, store: FullStore) -> None:
    """What could not be written stays in memory and goes to the store with the next save."""
    live = sessions.new(OWNER)
    store.is_full = True
    for number in (1, 2):
        with pytest.raises(StoreFull):
            live.record([said(number)], ends_turn=True)
    assert not live.is_saved
    assert len(live.state.messages) == 2

    store.is_full = False
    live.save()

    assert live.is_saved
    assert len(sessions.show(live.id).state.messages) == 2


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [n], lambda n: {"rows": [{"score": n}]}])
def test_numbers_that_json_has_not_are_refused_and_nothing_changes(sessions: Sessions, wrap, number: float) -> None:
    """A tool's result with NaN would come back as null: it is refused where it comes in."""
    live = sessions.new(OWNER)
    part = {"type": "tool_call_response", "id": "c1", "response": wrap(number)}
    revision = live.revision

    with pytest.raises(InvalidField, match="JSON has no number"):
        live.record([Message("m1", "tool", (part,), "2026-11-22T09:00:00.000Z")])

    assert (live.revision, live.state.messages, live.is_saved) == (revision, (), True)


def test_a_write_of_unknown_outcome_is_found_again(sessions: Sessions, store: FullStore, monkeypatch) -> None:
    """When a write came through although it was reported as unknown, it is not repeated, and the session goes on."""
    live = sessions.new(OWNER)
    whole = store.append

    def lose_the_answer(*arguments, **options):
        whole(*arguments, **options)
        raise OutcomeUnknown(live.id, "input/output error")

    monkeypatch.setattr(store, "append", lose_the_answer)
    with pytest.raises(OutcomeUnknown):
        live.record([said(1)])
    monkeypatch.undo()
    live.record([said(2)])

    assert [message.id for message in sessions.show(live.id).state.messages] == ["m1", "m2"]
    assert sessions.show(live.id).state.repairs == ()


def test_an_edited_session_keeps_its_edits(sessions: Sessions) -> None:
    """Title, tags, pin and archive are changed and checked; an unknown name or shape is refused."""
    [session_id] = stored(sessions, "hello")

    state = sessions.edit(session_id, title="T", tags=["a", " a ", "b"], pinned=True, archived=True).state

    assert (state.title, state.tags, state.pinned, state.archived) == ("T", ("a", "b"), True, True)
    for wrong in ({"title": ""}, {"tags": "a"}, {"pinned": 1}, {"id": "x"}, {"tags": [str(n) for n in range(30)]}):
        with pytest.raises(InvalidField):
            sessions.edit(session_id, **wrong)


def test_rewind_goes_back_and_an_unknown_message_changes_nothing(sessions: Sessions) -> None:
    """What came after the message is gone from the conversation; what is said next follows it."""
    live = sessions.new(OWNER)
    live.record([said(1), said(2), said(3)])

    with pytest.raises(InvalidField):
        live.rewind("nobody")
    live.rewind("m1")
    live.record([said(4)])

    assert [message.id for message in live.state.messages] == ["m1", "m4"]
    assert [message.id for message in sessions.show(live.id).state.messages] == ["m1", "m4"]


def test_a_fork_goes_its_own_way(sessions: Sessions) -> None:
    """A copy up to a message; the first session stays as it is, and the copy knows where it came from."""
    session_id = sessions.create(None, [said(1), said(2)]).state.id

    fork = sessions.fork(session_id, "m1")
    sessions.add(fork.state.id, [said(3)])

    assert [message.id for message in sessions.show(fork.state.id).state.messages] == ["m1", "m3"]
    assert [message.id for message in sessions.show(session_id).state.messages] == ["m1", "m2"]
    assert fork.state.origin == {"kind": "fork", "session": session_id, "message": "m1"}


def test_compacting_changes_nothing_that_shows(sessions: Sessions, store: FullStore) -> None:
    """Pieces and rewound messages are gone, everything else is as before, unknown records included."""
    live = sessions.new(OWNER)
    live.record([said(1), said(2)])
    live.record_partial("a1", "piece", None)
    live.rewind("m1")
    live.edit(title="Mine", tags=["t"])
    live.close()
    store.append(live.id, [{"t": "hologram", "at": "x"}], store.revision(live.id))
    before = sessions.show(live.id).state

    after = sessions.compact(live.id).state

    assert (after.messages, after.title, after.title_source, after.tags, after.updated_at) == (
        before.messages, before.title, before.title_source, before.tags, before.updated_at,
    )  # fmt: skip
    assert [record["t"] for record in store.read(live.id).records] == ["meta", "messages", "hologram"]


def test_a_full_session_takes_no_question_but_every_answer(sessions: Sessions) -> None:
    """The size limit blocks before a turn begins, never in the middle of one."""
    live = sessions.new(OWNER)
    live.record([said(1)])

    with pytest.raises(PayloadTooLarge, match="Go on in a new session"):
        live.record([said(2, "x" * 30_000)])
    live.record([said(3, "y" * 30_000)], ends_turn=True)

    assert [message.id for message in sessions.show(live.id).state.messages] == ["m1", "m3"]
    assert live.is_saved


def test_an_answer_that_was_cut_off_keeps_its_place(sessions: Sessions, store: FullStore) -> None:
    """A resume closes it as interrupted, once; what is said later stands behind it."""
    live = sessions.new(OWNER)
    live.record([said(1)])
    live.record_partial("a1", "so far", None)
    store.leases.clear()  # the process died

    live, briefing = sessions.resume("1", OTHER)
    live.record([said(2)])
    live.close()
    _, again = sessions.resume("1", OTHER)

    messages = sessions.show(live.id).state.messages
    assert [(message.id, message.status) for message in messages] == [
        ("m1", "complete"),
        ("a1", "interrupted"),
        ("m2", "complete"),
    ]
    assert any("cut off" in line for line in briefing.lines)
    assert not any("cut off" in line for line in again.lines)


def test_only_so_many_are_open_at_once(sessions: Sessions, store: FullStore) -> None:
    """The eleventh open session is refused with the choices; one that is open already may be taken over."""
    sessions._max_open = 2
    first, second = sessions.new(OWNER), sessions.new(OWNER)
    [session_id] = stored(sessions, "closed one")

    with pytest.raises(LimitReached, match="%jido close"):
        sessions.resume(session_id, OWNER)
    sessions.resume(first.id, OTHER, take_over=True)
    second.close()
    sessions.resume(session_id, OWNER)


def test_a_long_log_is_compacted_when_it_is_resumed(sessions: Sessions, store: FullStore, monkeypatch) -> None:
    """Many records become few; nothing that shows changes."""
    monkeypatch.setattr("jido_jupyter.services.sessions.LONG_LOG", 5)
    [session_id] = stored(sessions, "hello")
    for number in range(10, 20):
        sessions.add(session_id, [said(number)])
    before = sessions.show(session_id).state.messages

    live, _ = sessions.resume(session_id, OWNER)

    assert live.state.messages == sessions.show(session_id).state.messages == before
    assert len(store.read(session_id).records) <= 3


def test_the_count_limit_blocks_and_removes_nothing(sessions: Sessions) -> None:
    """A full store takes no new session and names the choices."""
    stored(sessions, "one", "two", "three", "four")

    with pytest.raises(LimitReached, match=r"limit is 4\..*%jido delete.*JIDO_MAX_SESSIONS"):
        sessions.new(OWNER)

    assert len(sessions.list()) == 4


def test_an_open_session_is_not_trashed(sessions: Sessions) -> None:
    """Whoever works in it would lose the ground under their feet."""
    live = sessions.new(OWNER)

    with pytest.raises(SessionOpen):
        sessions.trash(live.id)


def test_trash_and_restore(sessions: Sessions) -> None:
    """What was deleted comes back by the start of its id; a wrong one is told what the trash holds."""
    [session_id] = stored(sessions, "hello")
    sessions.trash(session_id)

    with pytest.raises(SessionNotFound, match="The trash holds id0001"):
        sessions.restore("zz")
    assert sessions.restore("id00") == session_id
    assert [summary.title for summary in sessions.list()] == ["hello"]


def test_adding_with_an_old_revision_is_refused(sessions: Sessions) -> None:
    """A client that does not know the newest state gets a conflict that names it."""
    [session_id] = stored(sessions, "hello")
    known = str(sessions.show(session_id).revision)
    newer = sessions.add(session_id, [said(7)], known)

    with pytest.raises(StaleRevision) as refusal:
        sessions.add(session_id, [said(8)], known)

    assert refusal.value.found == str(newer.revision)


def test_a_title_needs_a_visible_character(sessions: Sessions) -> None:
    """Blank and invisible titles are refused; others are made one clean line."""
    live = sessions.new(OWNER)

    with pytest.raises(InvalidField, match="visible character"):
        live.edit(title=" \n\u202e ")
    live.edit(title="a\nb")

    assert live.state.title == "a b"
    assert records.FORMAT == 1


def test_an_unverified_session_needs_an_explicit_step(tmp_path, clock: FakeClock) -> None:
    """A session sealed with a key that is not here is read, refused, and resumed once its owner says so."""

    def opened(key_folder: str) -> Sessions:
        store = FileStore(str(tmp_path / "home"), keys.load_or_create(str(tmp_path / key_folder)), 10**6)
        limits = Limits(FileLimiter(str(tmp_path / "limits"), clock.boot), Window(5, 60), Window(20, 60))
        return Sessions(store, limits, max_sessions=9, clock=clock.now, mint_id=lambda: "one")

    opened("keys").create("Mine", [said(1)])
    elsewhere = opened("other keys")

    assert elsewhere.show("one").state.messages == (said(1),)
    assert elsewhere.show("one").seal == "foreign"
    assert "key that is not here" in elsewhere.verify("one")[0]
    with pytest.raises(UnverifiedSession, match="--trust"):
        elsewhere.resume("one", OWNER)
    live, _ = elsewhere.resume("one", OWNER, trust=True)
    live.record([said(2)])
    assert elsewhere.verify("one") == ()
    assert elsewhere.show("one").seal == "verified"


@pytest.mark.parametrize(
    ("damage", "seal"),
    [
        ((), "verified"),
        ((Damage("torn", 3, ""), Damage("repeated", 2, ""), Damage("concurrent", 2, "")), "verified"),
        ((Damage("altered", 2, ""),), "repaired"),
        ((Damage("unreadable", 2, ""),), "repaired"),
        ((Damage("altered", 1, ""),), "altered"),
        ((Damage("missing", 2, ""),), "altered"),
        ((Damage("foreign", 1, ""), Damage("altered", 2, "")), "foreign"),
    ],
)
def test_what_seals_prove(sessions: Sessions, damage: tuple[Damage, ...], seal: str) -> None:
    """What was left out is told apart from what is in doubt; a write that was cut off is neither."""
    found = Stored({}, (), Revision(0, ""), damage)
    shown = sessions.create("Mine", [said(1)])

    assert replace(shown, damage=damage, is_verified=found.is_verified).seal == seal


def test_a_session_under_a_chosen_id(sessions: Sessions) -> None:
    """An adapter names the session that it makes; a name that is taken, in the trash too, is refused."""
    shown = sessions.begin("chosen", {"title": "Mine", "extras": {"a": 1}}, [said(1), said(2, "AKIAQWERTYUIOPASDFGH")])

    assert (shown.state.id, shown.state.extras) == ("chosen", {"a": 1})
    assert "AKIA" not in sessions.show("chosen").state.messages[1].text
    sessions.trash("chosen")
    with pytest.raises(SessionExists):
        sessions.begin("chosen", {}, [])


def test_a_revised_session(sessions: Sessions) -> None:
    """Going back, going on and what an adapter keeps are one write, refused where the session is another by now."""
    first = sessions.create("Mine", [said(1), said(2)])
    session_id = first.state.id

    second = sessions.revise(session_id, "m1", [said(3)], {"a": 1, "b": 2}, str(first.revision))
    third = sessions.revise(session_id, "m3", [], {"a": None}, str(second.revision))
    fourth = sessions.revise(session_id, records.START, [said(4)], {"b": None}, str(third.revision))

    assert [message.id for message in second.state.messages] == ["m1", "m3"]
    assert (second.state.extras, third.state.extras, fourth.state.extras) == ({"a": 1, "b": 2}, {"b": 2}, None)
    assert sessions.compact(session_id).state.messages == fourth.state.messages == (said(4),)
    with pytest.raises(StaleRevision):
        sessions.revise(session_id, "m4", [said(5)], {}, str(third.revision))
    with pytest.raises(InvalidField, match="no message 'm9'"):
        sessions.revise(session_id, "m9", [said(5)], {}, str(sessions.show(session_id).revision))


def test_adding_is_not_denied_by_what_fails_afterwards(sessions: Sessions, store: FullStore, monkeypatch) -> None:
    """What was saved is told as saved, also when the store can be read no more a moment later."""
    [session_id] = stored(sessions, "one")
    read = store.read
    reads: list[str] = []

    def once(wanted: str) -> Stored:
        if reads:
            raise StoreUnavailable("here", "gone", "Come back later.")
        reads.append(wanted)
        return read(wanted)

    monkeypatch.setattr(store, "read", once)
    shown = sessions.add(session_id, [said(7, "two")])
    monkeypatch.undo()

    assert [message.text for message in shown.state.messages] == ["one", "two"]
    assert sessions.show(session_id).revision == shown.revision


def test_messages_that_come_by_other_doors_lose_their_keys_too(sessions: Sessions) -> None:
    """Whether a session is open or not, a known key is never stored."""
    key = "sk-proj-" + "a1B2c3D4" * 6
    session_id = sessions.create(None, [said(1, f"my key is {key}")]).state.id
    sessions.add(session_id, [said(2, f"again {key}")])

    texts = [message.text for message in sessions.show(session_id).state.messages]

    assert all("[redacted: OpenAI key]" in text and key not in text for text in texts)


def test_a_fork_takes_along_what_stands_beside_the_messages(sessions: Sessions) -> None:
    """What is left to do, and what the notebook looked like, belong to the copy too."""
    live = sessions.new(OWNER)
    live.record([said(1)], context={"notebook": "a.ipynb"})
    live.set_todos([{"text": "plot", "status": "open"}])
    live.close()

    fork = sessions.fork(live.id).state

    assert fork.todos == ({"text": "plot", "status": "open"},)
    assert fork.context == {"notebook": "a.ipynb"}
    assert sessions.show(fork.id).state.messages == fork.messages


def test_a_title_of_nothing_leaves_no_session_behind(sessions: Sessions, store: FullStore) -> None:
    with pytest.raises(InvalidField):
        sessions.new(OWNER, "   ")

    assert store.count() == 0


def test_a_look_that_fails_frees_the_session(sessions: Sessions, store: FullStore) -> None:
    live = sessions.new(OWNER)
    live.close()

    def fail(state):
        raise RuntimeError("the notebook cannot be read")

    with pytest.raises(RuntimeError):
        sessions.resume(live.id, OWNER, look=fail)
    assert store.owner(live.id) is None
