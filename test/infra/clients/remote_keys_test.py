"""How RemoteKeys treats its key set, with the clock handed in and every fetch counted."""

import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from tgefd_assertion import KeysUnavailable, MemoryReplayCache, RemoteKeys


class KeySetServer(BaseHTTPRequestHandler):
    body = b""
    status = 200
    fetches = 0

    def do_GET(self) -> None:
        KeySetServer.fetches += 1
        self.send_response(KeySetServer.status)
        self.end_headers()
        self.wfile.write(KeySetServer.body)

    def log_message(self, *_: object) -> None:
        pass


def publish(*kids: str) -> None:
    KeySetServer.status = 200
    KeySetServer.body = json.dumps({"keys": [{"kid": kid, "kty": "OKP"} for kid in kids]}).encode()


class RemoteKeysTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.server = HTTPServer(("127.0.0.1", 0), KeySetServer)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self) -> None:
        self.now = 1000.0
        KeySetServer.fetches = 0
        publish("a")
        self.keys = RemoteKeys(f"http://127.0.0.1:{self.server.server_port}/", clock=lambda: self.now)

    def test_fetches_once_while_fresh(self) -> None:
        for _ in range(100):
            self.assertIsNotNone(self.keys.find("a"))
        self.assertEqual(KeySetServer.fetches, 1)

    def test_a_flood_of_unknown_kids_costs_one_fetch_in_ten_seconds(self) -> None:
        for second in range(31):
            self.now = 1000.0 + second
            for at in range(10):
                self.assertIsNone(self.keys.find(f"bogus-{at}"))
        self.assertEqual(KeySetServer.fetches, 4)

    def test_a_new_key_is_found_after_the_cooldown_at_the_latest(self) -> None:
        self.keys.find("a")
        publish("a", "b")
        self.assertIsNone(self.keys.find("b"))
        self.now += 10
        self.assertIsNotNone(self.keys.find("b"))

    def test_a_retired_key_is_dead_after_the_next_refresh(self) -> None:
        self.keys.find("a")
        publish("b")
        self.now += 45
        self.assertIsNone(self.keys.find("a"))

    def test_an_outage_is_bridged_for_the_minute_of_the_key_set_and_no_longer(self) -> None:
        self.keys.find("a")
        KeySetServer.status = 503
        self.now += 59
        self.assertIsNotNone(self.keys.find("a"))
        self.now += 1
        with self.assertRaises(KeysUnavailable):
            self.keys.find("a")
        publish("a")
        self.now += 10
        self.assertIsNotNone(self.keys.find("a"))

    def test_a_body_that_is_no_key_set_never_replaces_a_good_one(self) -> None:
        self.keys.find("a")
        for body in (b"<html>", b"[]", b'{"keys": 7}', b'{"keys": [7]}', b'{"keys": "' + b"x" * 70_000 + b'"}'):
            KeySetServer.body = body
            self.now += 10
            self.keys.find("bogus")
            self.assertIsNotNone(self.keys.find("a"))

    def test_only_http_urls(self) -> None:
        with self.assertRaises(ValueError):
            RemoteKeys("file:///etc/passwd")


class MemoryReplayCacheTest(unittest.TestCase):
    def test_full_of_live_assertions_it_refuses_instead_of_forgetting(self) -> None:
        now = [0.0]
        cache = MemoryReplayCache(max_entries=2, clock=lambda: now[0])
        self.assertTrue(cache.first("a", 60))
        self.assertTrue(cache.first("b", 60))
        self.assertFalse(cache.first("c", 60))
        self.assertFalse(cache.first("a", 60))
        now[0] = 61
        self.assertTrue(cache.first("c", 120))
        self.assertTrue(cache.first("a", 120))


if __name__ == "__main__":
    unittest.main()
