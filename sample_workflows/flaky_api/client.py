"""The client side of flaky_api.yaml. HTTP errors go out as they are: the studio knows 503 from 404."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses of this machine without going through a proxy."""


def find_service(folder: str) -> str | None:
    file = Path(folder) / "port"
    return f"http://127.0.0.1:{file.read_text(encoding='utf-8')}" if file.exists() else None


def submit_job(url: str, articles: list[str], ctx: Any) -> dict[str, Any]:
    return request(f"{url}/jobs", {"articles": articles}, {"Idempotency-Key": ctx.idempotency_key})


def job_state(url: str, job: str, ctx: Any) -> dict[str, Any]:
    answer = request(f"{url}/jobs/{job}")
    ctx.progress(answer["progress"])
    return answer


def get_stock(url: str) -> dict[str, int]:
    return request(f"{url}/stock")


def get_rate(url: str) -> dict[str, Any]:
    return request(f"{url}/rate")


def get_discount(url: str, code: str) -> dict[str, Any]:
    return request(f"{url}/discount?code={code}")


def stop_service(url: str) -> None:
    request(f"{url}/stop", {})


def make_offer(
    prices: dict[str, float], stock: dict[str, int], rate: float, discount: float
) -> dict[str, float]:
    return {
        name: round(price * (100 - discount) / 100 * rate, 2)
        for name, price in prices.items()
        if stock.get(name, 0) > 0
    }


def request(
    url: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> Any:
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with DIRECT.open(call, timeout=10) as answer:
            return json.load(answer)
    except HTTPError as error:
        error.add_note(f"the service said: {error.read(500).decode('utf-8', 'replace')}")
        raise
    except URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise
