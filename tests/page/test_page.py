#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page at / in a real browser: what it shows, that nothing from outside gets in, by keyboard, in pictures.

Pictures go to the folder FFFA_PICTURES, or nowhere."""
import os
import pathlib
import tempfile
import unittest

import agent
import browser
import namespace
import program
import scenes

WIDE, PHONE = (1440, 900), (390, 844)
# The least contrast of all texts that are shown, by WCAG's formula, over the nearest background that is not transparent.
CONTRAST = """(() => {
  const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
  const behind = (node) => { for (; node; node = node.parentElement) {
    const c = parse(getComputedStyle(node).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255]; };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(node.tagName)) continue;
    const style = getComputedStyle(node), svg = node instanceof SVGElement;
    const a = light(parse(svg ? style.fill : style.color)), b = light(behind(node));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push([walker.currentNode.data.trim().slice(0, 40), ratio.toFixed(2)]);
  }
  return found;
})()"""


class Page(program.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="fffa-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.browser = browser.Browser(browser.find(), cls.folder.name)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.agent = agent.Agent(self, "127.0.0.1:9977", flows="{idle_timeout: 60s}")
        agent.send(40123, 7)
        code, headers, text = self.agent.get("/")
        self.assertEqual(code, 200)
        self.server = scenes.Server(self, text.encode(), dict(headers))
        self.real = self.agent.json("/status")

    def open(self, name, size=WIDE, dark=False, words="", until="true"):
        self.server.scene = scenes.SCENES[name](self.real)
        self.browser.show(*size, dark=dark, phone=size == PHONE)
        self.browser.open("http://127.0.0.1:9978/" + words)
        self.browser.until("document.querySelectorAll('#sink-cards article').length > 0 && document.querySelector('#loss-reasons li')")
        self.browser.until(until)

    def finish(self, name):
        """Saves a picture, and checks what holds for every scene."""
        b = self.browser
        if os.environ.get("FFFA_PICTURES"):
            b.picture(pathlib.Path(os.environ["FFFA_PICTURES"]) / f"{name}.png")
        self.assertEqual(b.complaints(), [], name)
        self.assertEqual({url.split("/")[2] for url in b.requests() if not url.startswith("data:")}, {"127.0.0.1:9978"})
        self.assertEqual(b.run(CONTRAST), [], name)
        self.assertLessEqual(b.run("document.documentElement.scrollWidth"), b.run("innerWidth"), f"{name}: wider than the window")

    def text(self, selector):
        return self.browser.run(f"document.querySelector({selector!r}).innerText")

    def errors(self):
        """Returns the headings of the sinks' last errors that are shown."""
        return self.browser.run("[...document.querySelectorAll('.last-error:not([hidden]) b')].map((one) => one.innerText)")

    def test_the_agent_itself(self):
        """The page is held against the agent that serves it."""
        b = self.browser
        b.show(*WIDE)
        b.open("http://127.0.0.1:9977/")
        b.until("document.querySelector('#ready')?.innerText === 'Ready'")
        b.until("[...document.querySelectorAll('#flow-rows tr')].some((row) => row.innerText.includes('127.0.0.1:40123'))")
        b.until("document.querySelectorAll('#sink-cards article').length === 1")
        b.until("document.querySelector('#balance-state').innerText === 'adds up'")
        self.assertEqual(self.text("#hook-rows tr td"), "lo")
        self.assertEqual(b.complaints(), [])
        b.run("document.querySelector('#filter').focus()")
        b.call("Input.insertText", text="len > 1")
        b.until("document.querySelector('#filter-error').innerText.startsWith('filter: column 1')")
        b.run("document.querySelector('#filter').value = ''")
        b.call("Input.insertText", text="udp port 40123")
        b.until("document.querySelector('#filter-error').innerText === '' && document.querySelectorAll('#flow-rows tr').length === 2")
        b.run("document.querySelector('#filter').select()")
        b.call("Input.insertText", text="tcp port 9")
        b.until("document.querySelector('#flow-empty').innerText === 'No open flow matches the filter.'")

    def test_filled(self):
        for name, size, dark in (("filled", WIDE, False), ("dark", WIDE, True), ("phone", PHONE, False), ("phone-dark", PHONE, True)):
            with self.subTest(name):
                rows = 10 if size == PHONE else 20
                self.open("filled", size, dark, until=f"document.querySelectorAll('#flow-rows tr').length === {rows}")
                self.assertEqual(self.browser.run("document.querySelectorAll('#charts .line').length"), 7)
                self.assertEqual(self.text("#loss-reasons"), "Nothing was lost in the last 15 minutes.")
                self.assertEqual(self.browser.run("document.querySelectorAll('#notices li').length"), 0)
                self.assertIn("tcp https [P.]", self.text("#flow-rows"))
                self.assertEqual(self.errors(), ["Last error, 7 min ago, before the last delivery"])
                self.finish(name)

    def test_empty(self):
        self.open("empty", until="!document.querySelector('#flow-empty').hidden")
        self.assertEqual(self.text("#flow-empty"), "No flow is open.")
        self.finish("empty")

    def test_a_sink_is_down(self):
        for name, size in (("down", WIDE), ("down-phone", PHONE)):
            self.open("down", size)
            self.assertEqual(self.text("#ready"), "Not ready")
            notices = self.text("#notices")
            self.assertIn("Not ready: ens5 egress: another program stands in front of the hook", notices)
            self.assertIn("Sink collector is down: collector.example:443: Connection refused", notices)
            card = self.browser.run("[...document.querySelectorAll('#sink-cards article')][1].innerText")
            for words in ("Down", "32.0 MiB of 32.0 MiB", "8.29 GiB of 10.0 GiB", "9 min ago", "Connection refused"):
                self.assertIn(words, card)
            self.assertEqual(self.errors(), ["Last error, 4 s ago"])
            self.finish(name)

    def test_loss(self):
        self.open("loss", until="document.querySelectorAll('#loss-chart .bars').length === 4")
        self.assertIn("56,000 records", self.text("#loss-reasons"))
        self.assertIn("18,240 packets", self.text("#loss-reasons"))
        self.assertIn("queue full", self.text("#notices"))
        self.assertIn("The last reload of the configuration failed", self.text("#notices"))
        self.finish("loss")

    def test_texts_from_outside_stay_texts(self):
        b = self.browser
        self.open("hostile", until="document.querySelectorAll('#flow-rows tr').length === 20")
        self.assertIn("<img src=x", self.text("#flow-rows"))
        self.server.refusal = "filter: " + scenes.MARKUP
        b.run("document.querySelector('#filter').focus()")
        b.call("Input.insertText", text="x")
        b.until("document.querySelector('#filter-error').innerText.includes('<img src=x')")
        self.assertEqual(b.run("document.querySelectorAll('img, main script').length"), 0)
        self.assertNotEqual(b.run("document.title"), "owned")
        for selector in ("#notices", "#sink-cards", "#hook-rows", "#program", "#metadata", "#kernel", "#loss-reasons", "#host"):
            self.assertIn("<img src=x", b.run(f"document.querySelector({selector!r}).textContent"), selector)
        # 400 is an answer that the browser notes; nothing else is.
        self.assertEqual([e for e in b.complaints() if "400" not in str(e)], [])
        self.server.refusal = None

    def test_by_keyboard(self):
        b = self.browser
        self.open("filled", until="document.querySelectorAll('#flow-rows tr').length === 20")
        b.press("Tab", 9)
        self.assertEqual(b.run("document.activeElement.className"), "skip")
        seen = set()
        for _ in range(100):
            b.press("Tab", 9)
            if b.run("document.activeElement === document.body"):  # behind the last one
                break
            self.assertNotEqual(b.run("getComputedStyle(document.activeElement).outlineStyle"), "none",
                                b.run("document.activeElement.outerHTML.slice(0, 200)"))
            seen.add(b.run("document.activeElement.id || document.activeElement.getAttribute('class') || document.activeElement.innerText"))
        self.assertLessEqual({"filter", "sort", "rows", "plot", "scroll", "Bytes", "Source"}, seen)
        b.run("[...document.querySelectorAll('th button')].find((one) => one.innerText === 'Packets').focus()")
        b.press("Enter", 13, "\r")
        self.assertEqual(b.run("document.querySelector('th[aria-sort=descending]').innerText.trim()"), "Packets")
        b.until("location.search.includes('sort=packets')")
        b.press("Enter", 13, "\r")
        self.assertEqual(b.run("document.querySelector('th[aria-sort=ascending]').innerText.trim()"), "Packets")
        b.run("document.querySelector('#charts svg').focus()")
        b.press("ArrowLeft", 37)
        self.assertIn("ago", self.text("#charts .legend"))
        b.press("Escape", 27)
        self.assertNotIn("ago", self.text("#charts .legend"))
        unnamed = b.run("[...document.querySelectorAll('input, select, button, [tabindex=\"0\"]')].filter((one) => "
                        "!(one.labels?.length || one.innerText?.trim() || one.getAttribute('aria-label'))).length")
        self.assertEqual(unnamed, 0)

    def test_the_agent_goes_and_comes_back(self):
        b = self.browser
        self.open("filled")
        self.server.silent = True
        b.until("document.querySelector('#ready').innerText === 'No answer'")
        self.assertIn("no answer for", self.text("#live"))
        self.server.silent = False
        b.until("document.querySelector('#ready').innerText === 'Ready'")


if __name__ == "__main__":
    if not browser.find():
        program.skip_all("no browser: install chromium, or name one in FFFA_BROWSER")
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
