"""The unreliable service of flaky_api.yaml: HTTP on a free port of this machine."""

import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PRICES = {"lamp": 60, "chair": 145, "desk": 480}


class Service(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, refusals: int, polls: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.refusals = refusals
        self.polls = polls
        self.requests: Counter[str] = Counter()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.last_call = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.count()
        path, _, query = self.path.partition("?")
        match path.split("/")[1:]:
            case ["jobs", number]:
                self.answer_job(number)
            case ["stock"] if self.server.requests["GET /stock"] == 1:
                self.server.stopped.wait(30)
                self.close_connection = True
            case ["stock"]:
                self.reply(200, {"lamp": 12, "chair": 5, "desk": 1})
            case ["rate"]:
                self.reply(500, {"error": "no connection to the bank"})
            case ["discount"] if query == "code=SUMMER":
                self.reply(200, {"percent": 10})
            case _:
                self.reply(404, {"error": f"there is no {self.path}"})

    def do_POST(self) -> None:
        self.count()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/stop":
            self.reply(200, {})
            self.server.stopped.set()
        elif self.server.requests["POST /jobs"] <= self.server.refusals:
            self.reply(503, {"error": "busy, try again"})
        else:
            with self.server.lock:
                key = self.headers["Idempotency-Key"]
                job = {
                    "articles": body["articles"],
                    "polls": 0,
                    "job": str(len(self.server.jobs) + 1),
                }
                job = self.server.jobs.setdefault(key, job)
            self.reply(201, {"job": job["job"]})

    def answer_job(self, number: str) -> None:
        with self.server.lock:
            job = next(one for one in self.server.jobs.values() if one["job"] == number)
            job["polls"] += 1
        if job["polls"] < self.server.polls:
            self.reply(200, {"state": "running", "progress": job["polls"] / self.server.polls})
        else:
            prices = {name: PRICES[name] for name in job["articles"]}
            self.reply(200, {"state": "done", "progress": 1, "prices": prices})

    def count(self) -> None:
        with self.server.lock:
            path = self.path.partition("?")[0]
            name = "/jobs/ID" if path.startswith("/jobs/") else path
            self.server.requests[f"{self.command} {name}"] += 1
            self.server.last_call = time.monotonic()

    def reply(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, flush=True)


def serve(folder: str, refusals: int, polls: int, idle: float, ctx: Any) -> dict[str, int]:
    """Serve until somebody posts to /stop, or until ``idle`` seconds have passed without a call."""
    with Service(refusals, polls) as service:
        port = service.server_address[1]
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        draft = target / "port.draft"
        draft.write_text(str(port), encoding="utf-8")
        draft.replace(target / "port")
        ctx.log.info("listening on port %d", port)
        thread = threading.Thread(target=service.serve_forever, args=(0.05,))
        thread.start()
        while not service.stopped.wait(0.2):
            if time.monotonic() - service.last_call > idle:
                ctx.log.warning("nobody has called for %s seconds", idle)
                break
        service.shutdown()
        thread.join()
        (target / "port").unlink()
        return dict(sorted(service.requests.items()))
