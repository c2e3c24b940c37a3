// A headless Chromium, and what each test checks beside its subject: no request to a stranger, nothing that the policy
// refuses, no error in the page.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executable = process.env.NOEMA_CHROMIUM ?? CANDIDATES.find(existsSync);
/** The folder of the screenshots, which are kept. */
const ARTEFACTS = process.env.NOEMA_PAGE_ARTEFACTS ?? fileURLToPath(new URL('../artefacts/', import.meta.url));
mkdirSync(ARTEFACTS, { recursive: true });

/** Widths that the page is looked at with. */
const WIDE = { width: 1280, height: 860 };
export const NARROW = { width: 360, height: 740 };

let browser;
async function launched() {
  assert.ok(executable, `there is no Chromium; install Debian's package chromium, or name one with NOEMA_CHROMIUM`);
  browser ??= await chromium.launch({ executablePath: executable, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

/** A new browser's page at `url`, without storage of earlier ones. */
export async function open(url, { viewport = WIDE, dark = false, allowed = [] } = {}) {
  const context = await (await launched()).newContext({ viewport, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const origins = [new URL(url).origin, ...allowed.map((other) => new URL(other).origin)];
  const watched = { strangers: [], errors: [] };
  const look = (address) => {
    const { origin, protocol } = new URL(address);
    if (!origins.includes(origin) && protocol !== 'data:') watched.strangers.push(address);
  };
  page.on('request', (request) => look(request.url()));
  page.on('websocket', (socket) => look(socket.url()));
  page.on('pageerror', (error) => watched.errors.push(error.message));
  page.on('console', (message) => {
    // A refusal of the gateway is reported by the browser, too.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) watched.errors.push(message.text());
  });
  await page.goto(url);
  return {
    page,
    /** Leaves out errors that the test causes. */
    forgive(pattern) {
      watched.errors = watched.errors.filter((error) => !pattern.test(error));
    },
    /** Ends it, and checks what was watched. */
    async close() {
      await context.close();
      assert.deepEqual(watched.strangers, [], 'no request to a stranger');
      assert.deepEqual(watched.errors, [], 'no error in the page, and nothing that the policy refuses');
    },
  };
}

/** Takes a screenshot, and keeps it. */
export const picture = (page, name) => page.screenshot({ path: path.join(ARTEFACTS, `${name}.png`) });

/** Checks that the page is not wider than its window. */
export async function fits(page) {
  const [width, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(width <= window, `the page is ${width} pixels wide in a window of ${window}`);
}

/** What has the focus, as its name and role. */
export const focused = (page) =>
  page.evaluate(() => {
    const { activeElement: element } = document;
    const name = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
    return `${element.tagName.toLowerCase()}: ${name.trim().slice(0, 60)}`;
  });

/** Asserts that an element gets the focus, for which it has a few seconds: the page moves it after it has drawn. */
export async function focuses(page, expected, message) {
  for (let tries = 0; tries < 50 && (await focused(page)) !== expected; tries += 1) await page.waitForTimeout(100);
  assert.equal(await focused(page), expected, message);
}

/** Whether what has the focus shows it. */
export const showsFocus = (page) =>
  page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
  });

/** Waits until there are `expected` elements, at least one, and asserts that there are no more. */
export async function counts(locator, expected) {
  await locator.nth(expected - 1).waitFor();
  assert.equal(await locator.count(), expected);
}
