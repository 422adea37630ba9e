"""Servers on this machine that answer as a vendor does, and misbehave where they are told to."""

import io
import json
import socket
import struct
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pandas as pd

ZONE = "America/New_York"
SLOW = 3.0  # seconds: longer than the timeout of `requests` below


class Company:
    """What truly happened to one asset: raw prices, dividends and splits by day."""

    def __init__(self, days, close, volume, dividends=None, splits=None):
        self.days = pd.DatetimeIndex(days)
        self.close = np.asarray(close, dtype=float)
        self.volume = np.asarray(volume, dtype=float)
        self.dividends = dividends or {}
        self.splits = splits or {}

    def chart(self, period1, until):
        """Answer as Yahoo does: all divided by every later split, in single precision."""
        known = self.days <= until
        days, close = self.days[known], self.close[known]
        later = np.array([self.factor_after(day, until) for day in days])
        stamps = (days.tz_localize(ZONE) + pd.Timedelta(hours=9.5)).as_unit("s").asi8
        asked = stamps >= period1
        adjusted = (close / later).astype(np.float32).astype(float)[asked]
        quote = {
            "open": adjusted.tolist(),
            "high": (adjusted * 1.01).tolist(),
            "low": (adjusted * 0.99).tolist(),
            "close": adjusted.tolist(),
            "volume": (self.volume[known] * later)[asked].astype(int).tolist(),
        }
        events = {"dividends": {}, "splits": {}}
        for day, amount in self.dividends.items():
            at = int((pd.Timestamp(day, tz=ZONE) + pd.Timedelta(hours=9.5)).timestamp())
            if period1 <= at and pd.Timestamp(day) <= until:
                paid = round(amount / self.factor_after(pd.Timestamp(day), until), 6)
                events["dividends"][str(at)] = {"amount": paid, "date": at}
        for day, (new, old) in self.splits.items():
            at = int((pd.Timestamp(day, tz=ZONE) + pd.Timedelta(hours=9.5)).timestamp())
            if period1 <= at and pd.Timestamp(day) <= until:
                split = {"date": at, "numerator": new, "denominator": old}
                events["splits"][str(at)] = split | {"splitRatio": f"{new}:{old}"}
        meta = {
            "currency": "USD",
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": ZONE,
            "validRanges": ["1d", "max"],
        }
        result = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
        if asked.any():
            result |= {"timestamp": stamps[asked].tolist(), "events": events}
            result["indicators"] = {
                "quote": [quote],
                "adjclose": [{"adjclose": adjusted.tolist()}],
            }
        return {"chart": {"result": [result], "error": None}}

    def factor_after(self, day, until):
        ratios = [n / d for s, (n, d) in self.splits.items() if day < pd.Timestamp(s) <= until]
        return float(np.prod(ratios))


class Vendor:
    """What a server knows and how it misbehaves.

    companies: by asset; unknown names are absent. faults: by asset, what goes wrong with its next
    requests, in order; the last one stays when it is in `lasting`. until: the vendor's today.
    files: bytes by path. requests: how often each asset or path was asked for.
    """

    def __init__(self, companies=None, until="2030-01-01", files=None):
        self.companies = companies or {}
        self.files = files or {}
        self.faults = {}
        self.lasting = {}
        self.until = pd.Timestamp(until)
        self.requests = Counter()
        self.starts = {}
        self.times = []
        self.lock = threading.Lock()

    def next_fault(self, key):
        with self.lock:
            self.requests[key] += 1
            self.times.append(time.monotonic())
            waiting = self.faults.get(key)
            return waiting.pop(0) if waiting else self.lasting.get(key)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        vendor = self.server.vendor
        address = urlsplit(self.path)
        if address.path.startswith("/v8/finance/chart/"):
            asset = unquote(address.path.rsplit("/", 1)[1])
            period1 = int(parse_qs(address.query).get("period1", ["0"])[0])
            vendor.starts.setdefault(asset, []).append(period1)
            status, body = 200, self.chart(vendor, asset, period1)
            if body is None:
                reason = "No data found, symbol may be delisted"
                error = {"code": "Not Found", "description": reason}
                status, body = 404, {"chart": {"result": None, "error": error}}
            self.send(vendor.next_fault(asset), status, json.dumps(body).encode())
        elif address.path in vendor.files:
            self.send(vendor.next_fault(address.path), 200, vendor.files[address.path])
        elif address.path == "/v1/test/getcrumb":
            self.send(vendor.next_fault(address.path), 200, b"crumb")
        else:
            self.send(vendor.next_fault(address.path), 404, b"<html>nothing here</html>")

    @staticmethod
    def chart(vendor, asset, period1):
        company = vendor.companies.get(asset)
        return None if company is None else company.chart(period1, vendor.until)

    def send(self, fault, status, body):
        if fault == "slow":
            time.sleep(SLOW)
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
            return
        if fault == "malformed":
            body = b'{"chart": {"result": [{"meta"' + body[:20]
        if fault == "nonsense":
            body = b'{"chart": {"result": [{}], "error": null}}'
        retry_after = None
        if isinstance(fault, int):
            status, body = fault, b"<html>try later</html>"
        if isinstance(fault, tuple):
            (status, retry_after), body = fault, b"Too Many Requests"
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            if fault == "truncated":
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # who asked has gone

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # connections that break off are planned


@contextmanager
def serving(vendor: Vendor) -> Iterator[str]:
    """Give the address at which the vendor answers."""
    server = Server(("127.0.0.1", 0), Handler)
    server.vendor = vendor
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sessions(n, start="2024-01-02"):
    return pd.bdate_range(start, periods=n)


def random_company(seed, days):
    draws = np.random.default_rng(seed)
    close = np.round(50 * np.exp(np.cumsum(draws.normal(0, 0.02, len(days)))), 2)
    return Company(days, close, draws.integers(1_000, 9_000, len(days)) * 2)


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return content.getvalue()
