"""A headless Chromium for tests: real clicks and keys, through its debugging pipe.

Messages are JSON with a zero byte behind each: into the browser's descriptor 3, out of its 4.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
KEYS = {'Tab': 9, 'Enter': 13, 'Escape': 27, ' ': 32, 'ArrowLeft': 37, 'ArrowRight': 39,
        'ArrowDown': 40}
PATIENCE = 60  # seconds for an answer


def _pipe():
    """A pipe whose ends are out of the way of the descriptors 3 and 4."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends]
    for end in ends:
        os.close(end)
    return high


class Browser:
    """One page in a Chromium of its own, whose profile lies in `folder`. Close it afterwards.

    asked: the addresses that the page has asked for. said: errors and exceptions of its scripts.
    """

    def __init__(self, folder):
        theirs_in, self._in = _pipe()
        self._out, theirs_out = _pipe()
        self._process = subprocess.Popen(
            [PROGRAM, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
             '--disable-dev-shm-usage', '--remote-debugging-pipe', '--no-first-run',
             f'--user-data-dir={folder}', 'about:blank'], pass_fds=(3, 4),
            preexec_fn=lambda: (os.dup2(theirs_in, 3), os.dup2(theirs_out, 4)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self._count, self._rest, self._session, self._loaded = 0, b'', None, False
        self.asked, self.said = [], []
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self._session = self.call('Target.attachToTarget', targetId=target,
                                  flatten=True)['sessionId']
        for domain in ('Page', 'Network', 'Runtime', 'Log'):
            self.call(domain + '.enable')

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _message(self):
        """The next message of the browser."""
        end = time.time() + PATIENCE
        while b'\0' not in self._rest:
            ready, _, _ = select.select([self._out], [], [], max(0, end - time.time()))
            part = os.read(self._out, 1 << 20) if ready else b''
            assert part, 'the browser says nothing'
            self._rest += part
        line, self._rest = self._rest.split(b'\0', 1)
        return json.loads(line.decode('utf-8'))

    def _note(self, message):
        method, about = message.get('method'), message.get('params')
        self._loaded |= method == 'Page.loadEventFired'
        if method == 'Network.requestWillBeSent':
            self.asked.append(about['request']['url'])
        if method in ('Runtime.exceptionThrown', 'Log.entryAdded'):
            self.said.append(json.dumps(about))

    def call(self, method, **params):
        """Ask the browser for something of the DevTools protocol; returns its result."""
        self._count += 1
        message = {'id': self._count, 'method': method, 'params': params}
        if self._session:
            message['sessionId'] = self._session
        data = json.dumps(message).encode('utf-8') + b'\0'
        while data:
            data = data[os.write(self._in, data):]
        while True:
            answer = self._message()
            if answer.get('id') == self._count:
                assert 'error' not in answer, answer
                return answer['result']
            self._note(answer)

    def open(self, path, width=1280, height=900, phone=False, script=True, media=()):
        """Show a file or an http address.

        media: (feature, value) pairs, such as ('prefers-color-scheme', 'dark').
        """
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, mobile=phone,
                  deviceScaleFactor=1)
        self.call('Emulation.setScriptExecutionDisabled', value=not script)
        self.call('Emulation.setEmulatedMedia',
                  features=[{'name': name, 'value': value} for name, value in media])
        self._loaded = False
        address = path if isinstance(path, str) else path.resolve().as_uri()
        self.call('Page.navigate', url=address)
        while not self._loaded:
            self._note(self._message())

    def run(self, script):
        """The JSON-able value of a JavaScript expression; promises are waited for."""
        result = self.call('Runtime.evaluate', expression=script, returnByValue=True,
                           awaitPromise=True, userGesture=True)
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def wait(self, script):
        """Wait until an expression is true: some events come a moment after their cause."""
        end = time.time() + PATIENCE
        while not self.run(script):
            assert time.time() < end, script
            time.sleep(0.02)

    def click(self, selector):
        """Click into the middle of the first element that is meant."""
        x, y = self.run(f'(() => {{ const it = document.querySelector({json.dumps(selector)});'
                        'it.scrollIntoView({block: "center", behavior: "instant"});'
                        'const box = it.getBoundingClientRect();'
                        'return [box.x + box.width / 2, box.y + box.height / 2]; })()')
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def press(self, key, times=1):
        """Press and release a key of KEYS."""
        text = {'Enter': '\r', ' ': ' '}.get(key)
        for _ in range(times):
            for kind in ('keyDown', 'keyUp'):
                more = {'text': text} if text and kind == 'keyDown' else {}
                self.call('Input.dispatchKeyEvent', type=kind, key=key, code=key,
                          windowsVirtualKeyCode=KEYS[key], **more)

    def type(self, text):
        """Type into the field that has the focus."""
        self.call('Input.insertText', text=text)

    def picture(self, path, whole=False):
        """Write what is seen, or the whole page, as a PNG file."""
        data = self.call('Page.captureScreenshot', format='png', captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(data['data']))
