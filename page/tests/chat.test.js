// The chat in a real browser, against a gateway whose answers are written here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, beforeEach, describe, it } from 'node:test';

import { NARROW, closeBrowser, fits, focused, focuses, open, picture, showsFocus } from './lib/browser.js';
import { CHECKPOINT, ScriptedGateway } from './lib/gateway.js';

const MARKDOWN = `A **hash function** maps a text to a short value.

| property | meaning |
|---|---|
| one way | the text cannot be found from the value |
| even | a small change changes all of it |

\`\`\`python
import hashlib
print(hashlib.blake2b(b"noema", digest_size=32).hexdigest())
\`\`\`

1. Choose a text.
2. Compute its [hash](https://example.com/hash).

<img src=x onerror="document.title='broken'"><script>document.title='broken'</script> stays text, as does [this](javascript:alert(1)) and ![a picture](https://example.com/a.png).`;

describe('the chat', () => {
  let gateway;
  let session;
  let page;

  const begin = async (options = {}, path = '/#/chat') => {
    session = await open(gateway.url + path, options);
    ({ page } = session);
  };
  const ask = async (text) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
  };
  const answers = () => page.locator('.answer');
  const answered = (text, place = -1) => answers().nth(place).getByText(text).first().waitFor();

  after(closeBrowser);
  beforeEach(async () => {
    gateway = await ScriptedGateway.start();
  });
  afterEach(async () => {
    try {
      await session?.close();
    } finally {
      session = undefined;
      await gateway.stop();
    }
  });

  it('shows words as they come, and sends the history with the next message', async () => {
    let goOn;
    const until = new Promise((resolve) => (goOn = resolve));
    gateway.script = [{ text: 'Paris is the capital of France.', holds: 2, until }, { text: 'About two million.' }];
    await begin();
    await picture(page, 'chat-empty');
    await ask('What is the capital of France?');
    await answered('Paris is');
    assert.ok(!(await answers().last().textContent()).includes('France.'), 'not all of it is there at once');
    goOn();
    await answered('Paris is the capital of France.');
    await page.getByText('first word after').waitFor();
    await ask('How many people live there?');
    await answered('About two million.');
    const { messages, temperature, stream } = gateway.asked[1];
    assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'user']);
    assert.equal(messages[1].content, 'Paris is the capital of France.');
    assert.equal(temperature, 1);
    assert.equal(stream, true);
  });

  it('keeps conversations in the browser', async () => {
    await begin();
    await ask('What is the capital of France?');
    await answered('Paris');
    await page.getByText('first word after').waitFor();
    const address = page.url();
    await page.reload();
    await answered('Paris is the capital of France.');
    assert.equal(page.url(), address);
    await page.getByRole('link', { name: 'New conversation' }).click();
    await page.getByText('Ask a model that strangers serve').waitFor();
    page.once('dialog', (dialog) => dialog.accept());
    await page.getByRole('button', { name: /^Delete What is/ }).click();
    await page.getByText('Conversations are kept in this browser.').first().waitFor();
    await page.goto(address);
    await page.reload();
    await page.getByText('Ask a model that strangers serve').waitFor();
  });

  it('shows a receipt that turns from signed to checked to final', async () => {
    await begin();
    await ask('What is the capital of France?');
    const receipt = page.getByRole('region', { name: 'Receipt' });
    await receipt.getByText('Signed by the worker, and paid.').waitFor();
    await receipt.getByText('0.00378 NOEMA').waitFor();
    await receipt.getByText('for 7 tokens').waitFor();
    assert.equal(await receipt.getByRole('link', { name: '0x0707…0707' }).getAttribute('href'), `#/checkpoint/${CHECKPOINT}`);
    await picture(page, 'receipt-signed');
    gateway.advance({ state: 'claimed', claim: { id: 3, leaf: 12, leaves: 100, block: 812, drawn: null, final_at: null } });
    await receipt.getByText('Claimed on chain together with 99 other answers.').waitFor();
    gateway.advance({ state: 'checked', claim: { id: 3, leaf: 12, leaves: 100, block: 812, drawn: [4, 12], final_at: 900 } });
    await receipt.getByText('2 of its 100 answers were drawn and re-executed by validators, this one among them').waitFor();
    await receipt.getByText('until block 900').waitFor();
    gateway.advance({ state: 'final' });
    await receipt.getByText('Final: no challenge is possible any longer').waitFor();
    assert.equal(await receipt.locator('.steps .reached').count(), 3);
    await picture(page, 'receipt-final');
    await page.reload();
    await receipt.getByText('Final: no challenge').waitFor();
  });

  it('gives each receipt as a file, with the keyboard and with a key, too', async () => {
    await gateway.stop();
    for (const key of [null, 'noema-secret']) {
      gateway = await ScriptedGateway.start({ key });
      gateway.script = [{ text: 'one two three four five six seven', parts: 2 }];
      await begin();
      if (key) {
        await page.getByRole('button', { name: 'Enter a key' }).click();
        await page.getByLabel('Bearer key').fill(key);
        await page.keyboard.press('Escape');
      }
      await ask('Count');
      const links = page.getByRole('region', { name: 'Receipt' }).getByRole('link', { name: /^Receipt file \d$/ });
      await links.last().waitFor();
      assert.equal(await links.count(), 2);
      const [hash] = [...gateway.receipts.keys()].slice(-1);
      assert.equal(await links.last().getAttribute('href'), `/v1/noema/receipts/${hash}/file`);
      await links.last().focus();
      assert.ok(await showsFocus(page));
      const downloading = page.waitForEvent('download');
      await page.keyboard.press('Enter');
      const file = await downloading;
      assert.equal(file.suggestedFilename(), 'receipt-7-13.json');
      assert.equal(JSON.parse(readFileSync(await file.path(), 'utf8')).hash, hash);
      if (!key) {
        await session.close();
        await gateway.stop();
      }
    }
    gateway.receipts.clear();
    await page.getByRole('link', { name: 'Receipt file 1' }).click();
    await page.getByText('Not saved: the gateway does not have this receipt').waitFor();
  });

  it('names the tokens that no receipt states', async () => {
    gateway.script = [{ text: 'one two three four five six seven', unsigned: [{ first: 0, tokens: 3 }, { first: 4, tokens: 1 }] }];
    await begin({ viewport: NARROW });
    await ask('Count');
    await page.getByText('Unsigned: tokens 1 to 3, 5 of this answer.').waitFor();
    await fits(page);
    await picture(page, 'receipt-unsigned');
    await page.reload();
    await page.getByText('they may be false').waitFor();
  });

  it('says so where a claim fell', async () => {
    await begin();
    await ask('Lie');
    await page.getByText('Signed by the worker, and paid.').waitFor();
    gateway.advance({ state: 'refunded', reason: 'false_leaf', claim: { id: 3, leaf: 0, leaves: 1, block: 9, drawn: [0], final_at: null } });
    await page.getByText('Refunded: the claim fell (false leaf), and the payer has everything back.').waitFor();
  });

  it('has the gateway re-execute an answer, all of its receipts', async () => {
    gateway.script = [{ text: 'one two three four five six seven', parts: 2 }];
    await begin();
    await ask('Count');
    const receipt = page.getByRole('region', { name: 'Receipt' });
    await receipt.getByRole('button', { name: 'Re-execute it on this machine' }).click();
    await receipt.getByText('of 8 tokens').waitFor();
    await receipt.getByText('This machine computed the same 8 tokens, bit for bit.').waitFor();
    await picture(page, 'receipt-recomputed');
    gateway.recomputes = { same: 2 };
    await receipt.getByRole('button', { name: 'Re-execute it again' }).click();
    await receipt.getByText('something else from token 3 on').waitFor();
    gateway.recomputes = { fault: 'the weights of the checkpoint are not on this machine' };
    await receipt.getByRole('button', { name: 'Re-execute it again' }).click();
    await receipt.getByText('Not re-executed: the weights of the checkpoint').waitFor();
  });

  it('stops an answer, and ends it at the gateway', async () => {
    gateway.script = [{ text: 'word '.repeat(200), pause: 50 }];
    await begin();
    await ask('Go on');
    await answered('word');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped. The worker is paid').waitFor();
    await page.waitForTimeout(200);
    assert.equal(gateway.ended, 1);
    await page.getByLabel('Message', { exact: true }).fill('Again');
    await page.keyboard.press('Enter');
    await answered('word');
    await page.keyboard.press('Escape');
    await page.waitForTimeout(300);
    assert.equal(gateway.ended, 2, 'Escape stops, too');
  });

  it('regenerates an answer, keeps the earlier one, and adds up the price', async () => {
    gateway.script = [{ text: 'Heads.' }, { text: 'Tails.' }, { text: 'Sure.' }];
    await begin();
    await ask('Toss a coin');
    await answered('Heads.');
    await page.getByRole('button', { name: 'Regenerate' }).click();
    await answered('Tails.');
    await page.getByText('2 of 2').waitFor();
    await page.locator('.sofar').getByText('0.00216 NOEMA').waitFor();
    await page.getByRole('button', { name: 'The answer before' }).click();
    await answered('Heads.');
    await ask('Are you sure?');
    await answered('Sure.');
    assert.equal(gateway.asked[1].messages.length, 1, 'the same message is asked again, without its answer');
    assert.equal(gateway.asked[2].messages[1].content, 'Heads.', 'the answer that is shown goes on');
  });

  it('rewrites a message, and drops what followed', async () => {
    gateway.script = [{ text: 'One.' }, { text: 'Two.' }, { text: 'Three.' }];
    await begin();
    await ask('first');
    await answered('One.');
    await ask('second');
    await answered('Two.');
    await page.getByRole('button', { name: 'Edit' }).first().click();
    await page.getByLabel('Your message').fill('another');
    await page.getByRole('button', { name: 'Send again' }).click();
    await answered('Three.');
    assert.equal(await page.locator('.turn').count(), 1);
    assert.deepEqual(gateway.asked[2].messages, [{ role: 'user', content: 'another' }]);
  });

  it('sends the model and the sampling of the settings', async () => {
    await begin();
    await page.getByRole('button', { name: 'Settings' }).click();
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    await dialog.getByLabel('Model').selectOption('tiny');
    await dialog.getByLabel('System message').fill('Be brief.');
    await dialog.getByLabel('Temperature', { exact: true }).fill('0.3');
    await dialog.getByLabel('Top p', { exact: true }).fill('0.9');
    await dialog.getByLabel('Top k').fill('40');
    await dialog.getByLabel('Most tokens').fill('64');
    await page.keyboard.press('Tab');
    await picture(page, 'settings');
    await page.keyboard.press('Escape');
    await ask('Hello');
    await answered('Paris');
    const { stream: _, stream_options: _options, ...body } = gateway.asked[0];
    assert.deepEqual(body, {
      messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }],
      model: 'tiny', temperature: 0.3, top_p: 0.9, top_k: 40, max_tokens: 64,
    });
  });

  it('shows Markdown as elements, and never as HTML', async () => {
    gateway.script = [{ text: MARKDOWN }];
    await begin();
    await ask('What is a hash function?');
    await answered('stays text');
    await page.getByText('first word after').waitFor();
    assert.equal(await page.locator('.markdown table tbody tr').count(), 2);
    assert.equal(await page.locator('.markdown ol li').count(), 2);
    assert.equal(await page.locator('.answer img').count(), 0);
    assert.equal(await page.locator('.answer script').count(), 0);
    assert.equal(await page.locator('.answer a[href^="javascript"]').count(), 0);
    assert.ok((await answers().last().textContent()).includes('<img src=x onerror='), 'tags are shown as they are written');
    assert.equal(await page.getByRole('link', { name: 'hash', exact: true }).getAttribute('rel'), 'noopener noreferrer nofollow');
    assert.equal(await page.title(), 'Noema: chat');
    await picture(page, 'markdown');
  });

  it('tells errors, and can try again', async () => {
    gateway.script = [{ error: 'all sessions are in use; ask again later' }, { text: 'one two three', breaks: 2 }, { text: 'There.' }];
    await begin();
    await ask('Hello');
    await page.getByText('all sessions are in use; ask again later').waitFor();
    await picture(page, 'chat-error');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('the worker sent false tokens').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await answered('There.');
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  it('asks for a key where the gateway needs one', async () => {
    await gateway.stop();
    gateway = await ScriptedGateway.start({ key: 'noema-secret' });
    await begin();
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await page.getByLabel('Bearer key').fill('noema-secret');
    await page.keyboard.press('Escape');
    await ask('Hello');
    await answered('Paris');
  });

  it('is used with the keyboard alone, with a focus that is seen', async () => {
    gateway.script = [{ text: 'A first sentence. A second one.', pause: 80 }];
    await begin();
    await page.getByText('Ask a model').waitFor();
    await focuses(page, 'textarea: Message');
    await page.keyboard.type('Hello');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('there');
    await page.keyboard.press('Enter');
    await page.getByTestId('announcer').getByText('A first sentence.').waitFor();
    await page.getByTestId('announcer').getByText('The answer is complete: 7 tokens').waitFor();
    assert.equal(gateway.asked[0].messages[0].content, 'Hello\nthere');
    // From the beginning of the page.
    await page.evaluate(() => document.activeElement.blur());
    const seen = [];
    for (let step = 0; step < 30; step += 1) {
      await page.keyboard.press('Tab');
      const name = await focused(page);
      // Before the first one and after the last one the browser itself has it.
      if (name.startsWith('body') && seen.length === 0) continue;
      if (name.startsWith('body') || seen.includes(name)) break;
      seen.push(name);
      assert.ok(await showsFocus(page), `${name} shows the focus`);
    }
    const order = ['a: Skip to the content', 'a: Chat', 'a: Explorer', 'button: Colours: system. Change', 'a: New conversation', 'button: Settings', 'button: Edit', 'button: Regenerate', 'textarea: Message'];
    const places = order.map((name) => seen.indexOf(name));
    assert.ok(places.every((place) => place >= 0), `all can be reached: ${seen.join(', ')}`);
    assert.deepEqual(places, [...places].sort((one, other) => one - other), 'in the order in which they are seen');
    await picture(page, 'keyboard');
  });

  for (const [name, options] of [['light', { viewport: NARROW }], ['dark', { viewport: NARROW, dark: true }]]) {
    it(`fits 360 pixels, ${name}`, async () => {
      gateway.script = [{ text: MARKDOWN }];
      await begin(options);
      await fits(page);
      await picture(page, `narrow-empty-${name}`);
      await ask('What is a hash function, and what does averylongwordwithoutanyspaceinitthatcannotbebrokenanywhereelse mean?');
      await page.getByText('Signed by the worker, and paid.').waitFor();
      await fits(page);
      await picture(page, `narrow-answer-${name}`);
      await page.getByRole('button', { name: 'Conversations' }).click();
      await page.getByRole('dialog', { name: 'Conversations' }).waitFor();
      await picture(page, `narrow-drawer-${name}`);
      await page.keyboard.press('Escape');
      await focuses(page, 'button: Conversations', 'the focus returns');
      await page.getByRole('button', { name: 'Settings' }).click();
      await fits(page);
      await picture(page, `narrow-settings-${name}`);
    });
  }

  it('is dark where the system is, or as chosen', async () => {
    await begin({ dark: true });
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await back();
    await ask('What is the capital of France?');
    await page.getByText('Signed by the worker, and paid.').waitFor();
    await picture(page, 'chat-dark');
    await page.getByRole('button', { name: /^Colours/ }).click();
    // The page is drawn again after the click was handled.
    await page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, dark);
    const light = await back();
    await page.reload();
    await page.getByText('Paris').first().waitFor();
    assert.equal(await back(), light, 'the choice is kept');
  });
});
