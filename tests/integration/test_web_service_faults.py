"""What a service on the web can do wrong, played by a real server: each fault is survived, and told apart."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest

from adapters.http.answer import MAX_BYTES, Answer, retry_after
from adapters.http.limits import Limit
from adapters.http.service import ATTEMPTS, PATIENCE_SECONDS, Service
from application.ports.services import ServiceRefusedError, ServiceUnavailableError
from tests.web_service import Play, Time, WebService, answer, asking, drops, half, hang_up, silence, web_service

GOOD = answer({"figure": 42})


class Figure(msgspec.Struct):
    figure: int


@pytest.fixture
def web() -> Iterator[WebService]:
    with web_service() as service:
        yield service


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def service(web: WebService, time: Time) -> Iterator[Service]:
    with closing(asking(web.url, time=time)) as service:
        yield service


def figure(service: Service) -> int:
    def read(got: Answer) -> int:
        return msgspec.json.decode(got.body, type=Figure).figure

    return service.get("figures", {"of": "a b"}, read)


def test_every_question_says_who_asks(web: WebService, service: Service) -> None:
    web.plays(GOOD)
    assert figure(service) == 42
    [asked] = web.asked
    assert (asked.path, asked.parameters) == ("/figures", {"of": "a b"})
    assert asked.headers["User-Agent"].startswith("dataflow-platform/")
    assert asked.headers["User-Agent"].endswith("(ops@example.com)")


def test_a_path_of_the_address_is_kept(web: WebService) -> None:
    web.plays(GOOD)
    with closing(asking(f"{web.url}/maps/de")) as service:
        figure(service)
    assert web.asked[0].path == "/maps/de/figures"


STUMBLES: dict[str, Play] = {
    "status 429": answer({"error": True, "reason": "Minutely API request limit exceeded"}, 429),
    "status 500": answer(b"<html>oops</html>", 500, Content_Type="text/html"),
    "status 502": answer(b"", 502),
    "status 503": answer(b"", 503),
    "half an answer": half({"figure": 42, "more": "x" * 1_000}),
    "no answer": hang_up,
    "nonsense": answer(b"\x00\xff nonsense"),
    "nothing": answer(b""),
    "other JSON": answer(["figure", 42]),
    "a figure that is none": answer({"figure": "many"}),
    "broken compression": answer(b"not gzip", Content_Encoding="gzip"),
    "a page": answer(b"<html>Please log in to this network</html>", Content_Type="text/html"),
    "no content type": answer({"figure": 42}, Content_Type=""),
}


@pytest.mark.parametrize("stumble", STUMBLES.values(), ids=STUMBLES)
def test_after_a_stumble_it_is_asked_again(web: WebService, service: Service, time: Time, stumble: Play) -> None:
    web.plays(stumble, stumble, GOOD)
    assert figure(service) == 42
    assert len(web.asked) == 3
    assert len(time.naps) == 2


@pytest.mark.parametrize("stumble", STUMBLES.values(), ids=STUMBLES)
def test_after_three_attempts_it_is_unavailable(web: WebService, service: Service, stumble: Play) -> None:
    web.plays(stumble)
    with pytest.raises(ServiceUnavailableError, match="example gives no usable answer: ") as raised:
        figure(service)
    assert len(web.asked) == ATTEMPTS
    assert "html" not in str(raised.value).replace("'text/html'", "")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("play", [silence, drops])
def test_a_slow_answer_is_given_up(web: WebService, play: Play) -> None:
    web.plays(play)
    with (
        closing(asking(web.url, answer_seconds=0.1)) as service,
        pytest.raises(ServiceUnavailableError, match=r"no answer within 0.1 s|too slowly"),
    ):
        figure(service)
    assert len(web.asked) == ATTEMPTS


def test_an_endless_answer_is_cut_off(web: WebService, service: Service) -> None:
    web.plays(answer(b" " * (MAX_BYTES + 1)))
    with pytest.raises(ServiceUnavailableError, match="more than"):
        figure(service)
    assert len(web.asked) == 1


def test_an_address_that_is_none_is_said_at_once() -> None:
    with pytest.raises(ServiceUnavailableError, match="the address of example can't be used"):
        asking("http://example.com:many")


def test_nobody_there(time: Time) -> None:
    with web_service() as gone:
        pass
    with closing(asking(gone.url, time=time)) as service, pytest.raises(ServiceUnavailableError, match="refused"):
        figure(service)
    assert len(time.naps) == ATTEMPTS - 1


@pytest.mark.parametrize("status", [301, 401, 403, 404, 410, 501])
def test_what_does_not_pass_is_not_asked_again(web: WebService, service: Service, status: int) -> None:
    web.plays(answer({"message": "blocked"}, status, Location="/elsewhere"))
    with pytest.raises(ServiceUnavailableError, match=f"status {status} .*: blocked"):
        figure(service)
    assert len(web.asked) == 1


def in_seconds(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("header", [lambda: "7", lambda: in_seconds(7)], ids=["seconds", "date"])
def test_retry_after_is_waited_for(web: WebService, service: Service, time: Time, header: Callable[[], str]) -> None:
    web.plays(answer(b"", 429, Retry_After=header()), GOOD)
    assert figure(service) == 42
    [nap] = time.naps
    assert 5.9 <= nap <= 8


def test_a_long_retry_after_is_respected_by_asking_nobody(web: WebService, service: Service, time: Time) -> None:
    web.plays(answer({"reason": "Hourly API request limit exceeded"}, 429, Retry_After="3600"), GOOD)
    with pytest.raises(ServiceUnavailableError, match="Hourly API request limit exceeded") as raised:
        figure(service)
    assert raised.value.retry_after == 3_600
    time.now += 3_599
    with pytest.raises(ServiceUnavailableError, match="left alone for 1 s"):
        figure(service)
    assert len(web.asked) == 1
    time.now += 1
    assert figure(service) == 42


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 0), ("soon", 0), ("-1", 0), ("0", 0), ("120", 120), ("Mon, 23 Nov 2026 12:01:00 GMT", 60),
     ("Mon, 23 Nov 2026 12:01:00 -0000", 60), ("Mon, 23 Nov 2026 11:00:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(header: str, seconds: float) -> None:
    assert retry_after(header, datetime(2026, 11, 23, 12, tzinfo=UTC)) == seconds


def test_pauses_differ_so_that_clients_do_not_come_back_at_the_same_moment(web: WebService) -> None:
    web.plays(answer(b"", 503))
    naps: set[float] = set()
    for _ in range(5):
        time = Time()
        with closing(asking(web.url, time=time)) as service, pytest.raises(ServiceUnavailableError):
            figure(service)
        naps.update(time.naps)
    assert len(naps) == 5 * (ATTEMPTS - 1)


def test_a_service_that_is_down_is_left_alone_and_tried_again_later(
    web: WebService, service: Service, time: Time
) -> None:
    web.plays(answer(b"", 500))
    for _ in range(5):
        with pytest.raises(ServiceUnavailableError, match="no usable answer"):
            figure(service)
    asked = len(web.asked)
    with pytest.raises(ServiceUnavailableError, match="left alone") as raised:
        figure(service)
    assert len(web.asked) == asked
    time.now += raised.value.retry_after
    with pytest.raises(ServiceUnavailableError, match="no usable answer"):
        figure(service)
    with pytest.raises(ServiceUnavailableError, match="left alone") as raised:
        figure(service)
    time.now += raised.value.retry_after
    web.plays(GOOD)
    assert figure(service) == 42
    web.plays(answer(b"", 500), answer(b"", 500), answer(b"", 500), GOOD)
    with pytest.raises(ServiceUnavailableError):
        figure(service)
    assert figure(service) == 42


def test_a_refusal_is_an_answer(web: WebService, service: Service) -> None:
    def refuse(_: Answer) -> None:
        raise ServiceRefusedError("no such place")

    web.plays(answer({}, 400))
    for _ in range(10):
        with pytest.raises(ServiceRefusedError):
            service.get("", {}, refuse)
    assert len(web.asked) == 10


def test_no_limit_is_exceeded(web: WebService, time: Time) -> None:
    web.plays(GOOD)
    moments: list[float] = []
    with closing(asking(web.url, (Limit(2, 1.0), Limit(5, 10.0)), time)) as service:
        for _ in range(11):
            figure(service)
            moments.append(time.now)
    assert moments == [0, 0, 1, 1, 2, 10, 10, 11, 11, 12, 20]


def test_threads_share_a_limit(web: WebService) -> None:
    web.plays(GOOD)
    time = Time()
    with closing(asking(web.url, (Limit(3, 1_000_000),), time)) as service, ThreadPoolExecutor(8) as threads:

        def ask(_: int) -> bool:
            try:
                return figure(service) == 42
            except ServiceUnavailableError:
                return False

        assert sum(threads.map(ask, range(8))) == 3
    assert len(web.asked) == 3


def test_a_limit_that_is_used_up_says_when_to_come_back(web: WebService, time: Time) -> None:
    web.plays(GOOD)
    with closing(asking(web.url, (Limit(1, 86_400),), time)) as service:
        figure(service)
        time.now += 400
        with pytest.raises(ServiceUnavailableError, match="again in 86000 s") as raised:
            figure(service)
        assert raised.value.retry_after == 86_000 > PATIENCE_SECONDS
        time.now += 86_000
        assert figure(service) == 42
