"""A headless Chromium for tests, driven through its DevTools pipe: no port, no other library."""
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
           "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--disable-breakpad",
           "--disable-component-update", "--disable-sync", "--mute-audio", "--hide-scrollbars")
# Descriptor 3 is what Chromium reads commands from, 4 what it answers on.
START = 'in=$1; out=$2; shift 2; exec "$@" 3<&"$in" 4>&"$out"'


class Browser:
    """One page. Use it in a `with`: the processes and their folder go at the end.

    events: what the page said meanwhile, [{"method": ..., "params": ...}]
    """

    def __init__(self, timeout=60):
        self.deadline = time.monotonic() + timeout
        self.folder = tempfile.mkdtemp(prefix="metasieve.")
        self.events, self.buffer, self.number, self.session = [], b"", 0, None
        theirs_in, self.write_end = os.pipe()
        self.read_end, theirs_out = os.pipe()
        command = [PROGRAM, *OPTIONS, f"--user-data-dir={self.folder}", *["--no-sandbox"] * (os.geteuid() == 0)]
        self.process = subprocess.Popen(
            ["bash", "-c", START, "bash", str(theirs_in), str(theirs_out), *command, "about:blank"],
            pass_fds=(theirs_in, theirs_out), start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"HOME": self.folder})
        os.close(theirs_in)
        os.close(theirs_out)

    def __enter__(self):
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *error):
        os.close(self.write_end)  # the browser ends when its pipe does
        os.close(self.read_end)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its helpers too
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self):
        """The next message."""
        while b"\0" not in self.buffer:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_end], [], [], left)[0]:
                raise AssertionError("the browser does not answer")
            data = os.read(self.read_end, 1 << 16)
            if not data:
                raise AssertionError("the browser has ended")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, **params):
        """A command's result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width=1280, height=900):
        """Loads a file at a width in CSS pixels, as a phone does where it is small."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.events.clear()
        self.send("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def value(self, script):
        """Of a JavaScript expression, as plain data."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def of(self, method):
        """The parameters of all events of this name since the page was opened."""
        return [event["params"] for event in self.events if event.get("method") == method]
