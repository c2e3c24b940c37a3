// The explorer in a real browser, against a real development node whose operators the test simulates.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';

import { NARROW, closeBrowser, counts, fits, focuses, open, picture, showsFocus } from './lib/browser.js';
import { ScriptedGateway } from './lib/gateway.js';
import { populate } from './lib/populated.js';

describe('the explorer', () => {
  let chain;
  let gateway;
  let session;
  let page;

  before(async () => {
    chain = await populate();
    gateway = await ScriptedGateway.start({ node: chain.world.url });
  }, { timeout: 600_000 });
  after(async () => {
    await closeBrowser();
    await gateway?.stop();
    await chain?.world.stop();
  });
  afterEach(async () => {
    const ended = session;
    session = undefined;
    await ended?.close();
  });

  const main = () => page.locator('main');
  const begin = async (route, options = {}) => {
    await session?.close();
    session = await open(`${gateway.url}/#/${route}`, { allowed: [chain.world.url], ...options });
    ({ page } = session);
    await page.locator('.status').getByText('Noema Development').waitFor({ timeout: 60_000 });
  };
  /** Reads back to the first block with something to see. */
  const readBack = async (text) => {
    for (let step = 0; step < 8; step += 1) {
      if (await main().getByText(text).first().isVisible()) return;
      const button = page.getByRole('button', { name: /earlier blocks/ });
      if (await button.isVisible() && await button.isEnabled()) await button.click();
      await page.waitForTimeout(2_000);
    }
    await main().getByText(text).first().waitFor();
  };

  it('shows a dispute step by step as it goes on, and after its end', async () => {
    const { claim } = chain.disputed;
    await begin('disputes');
    await page.getByRole('region', { name: 'Open disputes' }).getByRole('link', { name: `dispute over leaf 0 of claim ${claim}` }).click();
    await main().locator('.step.now').getByText('Jurors execute the leaf and commit').waitFor();
    await main().getByText('has not committed').first().waitFor();
    await picture(page, 'explorer-dispute-open');
    await chain.decide();
    await main().getByText('Any account can appeal').waitFor();
    await counts(page.getByRole('region', { name: 'Jurors' }).getByText('the leaf is false'), chain.jurors);
    await picture(page, 'explorer-dispute-verdict');
    // The window to appeal ends.
    await main().locator('.head').getByText('the leaf is false').waitFor({ timeout: 120_000 });
    await picture(page, 'explorer-dispute');
    // The chain no longer has it; its events do.
    await page.reload();
    await readBack(/jurors? committed\./);
    await main().locator('.head').getByText('the leaf is false').waitFor();
    await page.getByRole('link', { name: 'Disputes' }).click();
    await page.getByRole('link', { name: `dispute over leaf 0 of claim ${claim}` }).waitFor();
  });

  it('shows what the chain does, and new blocks as they come', async () => {
    await begin('overview');
    await main().getByText('8', { exact: true }).first().waitFor();
    const first = page.getByRole('region', { name: 'Blocks' }).locator('tbody tr a').first();
    const before = await first.textContent();
    await picture(page, 'explorer-overview');
    await page.waitForFunction((text) => document.querySelector('[aria-label="Blocks"] tbody a').textContent !== text, before);
  });

  it('has an address for each block, with its calls and events', async () => {
    await begin('blocks');
    const first = page.getByRole('region', { name: 'Blocks' }).locator('tbody tr a').first();
    // New blocks come before it meanwhile.
    const to = await first.getAttribute('href');
    await page.locator(`tbody a[href="${to}"]`).click();
    await page.waitForFunction((hash) => window.location.hash === hash, to);
    const number = to.split('/').at(-1).replace(/\B(?=(\d{3})+$)/g, '\u202f');
    await page.getByRole('heading', { name: `Block ${number}`, exact: true }).waitFor();
    await page.getByText('Timestamp: set').first().click();
    await page.getByText('Now', { exact: false }).first().waitFor();
    await picture(page, 'explorer-block');
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByRole('heading', { name: `Block ${number}`, exact: true }).waitFor();
    await page.getByRole('link', { name: '‹' }).click();
    await page.getByRole('heading', { name: /^Block/ }).waitFor();
  });

  it('shows a claim that became final, and one that fell', async () => {
    await begin(`claim/${chain.confirmed.claim}`);
    await main().getByText('final, confirmed').first().waitFor();
    await main().getByText('confirmed the leaf').first().waitFor();
    await begin(`claim/${chain.disputed.claim}`);
    await main().getByText('fallen: false leaf').first().waitFor();
    await main().getByText('challenged the leaf').first().waitFor();
    await picture(page, 'explorer-claim');
  });

  it('shows a public request with prompt and answer', async () => {
    await begin(`request/${chain.confirmed.id}`);
    await main().getByText('What is a ledger?').waitFor();
    await main().getByText('A ledger is a list of entries that all can read.').waitFor();
    await main().getByText('settled').first().waitFor();
  });

  it('shows operators with bonds, prices and records', async () => {
    await begin('operators');
    await counts(page.getByRole('region', { name: 'Operators' }).locator('tbody tr'), 8);
    await picture(page, 'explorer-operators');
    await begin(`operator/${chain.worker.address}`);
    await main().getByText('Earned with answers').waitFor();
    await main().getByText('Slashed').first().waitFor();
    await main().getByText('0.01 NOEMA').first().waitFor();
    await picture(page, 'explorer-operator');
  });

  it('draws the lineage of checkpoints, with their loss', async () => {
    await begin('checkpoints');
    const graph = page.getByRole('region', { name: 'Lineage of the checkpoints' });
    await counts(graph.locator('a'), 1 + chain.rounds.length);
    await graph.getByText('3.7400 bits a token').waitFor();
    await page.getByRole('img', { name: /^Loss on the evaluation text/ }).waitFor();
    await picture(page, 'explorer-checkpoints');
    await graph.getByRole('link', { name: /canonical/ }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Checkpoint' }).waitFor();
    assert.ok(page.url().endsWith(chain.round.child.checkpoint));
    await main().getByText(`round ${chain.round.id}`).first().waitFor();
  });

  it('shows training with its curve, and rounds as they go on', async () => {
    await begin('rounds');
    await page.getByRole('img', { name: /^Loss on the evaluation shards/ }).waitFor();
    await picture(page, 'explorer-training');
    await begin(`round/${chain.round.id}`);
    await main().getByText('promoted').first().waitFor();
    await counts(main().getByText(/^accepted, weight/), 3);
    await picture(page, 'explorer-round');
  });

  it('plots supply and issuance', async () => {
    await begin('supply');
    await page.getByRole('img', { name: /^The most NOEMA that may exist/ }).waitFor();
    await main().getByText('Cap', { exact: true }).waitFor();
    await picture(page, 'explorer-supply');
  });

  it('has sessions where the chain has them, and says so where it has none', async () => {
    await begin('sessions');
    await main().getByText('This chain has no pallet').or(main().getByText('A payer puts an amount on hold')).first().waitFor();
    await picture(page, 'explorer-sessions');
    const id = chain.session ?? 0;
    await begin(`session/${id}`);
    await page.getByRole('heading', { name: `Session ${id}` }).waitFor();
    if (chain.session === null) return;
    await main().locator('.mark').getByText('open', { exact: true }).waitFor();
    await main().getByText('5 NOEMA').first().waitFor();
    await main().getByRole('link', { name: chain.worker.address.slice(0, 6) }).first().waitFor();
    await picture(page, 'explorer-session');
  });

  it('finds blocks, checkpoints and accounts, and says so where there is nothing', async () => {
    await begin('overview');
    const search = page.getByRole('searchbox');
    await search.fill('1');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Block 1', exact: true }).waitFor();
    await search.fill(chain.round.child.checkpoint);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Checkpoint' }).waitFor();
    await search.fill(chain.worker.address);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Operator', exact: true }).waitFor();
    await search.fill('nonsense');
    await page.keyboard.press('Enter');
    await page.getByText('This is no address').waitFor();
  });

  it('is used with the keyboard alone', async () => {
    await begin('overview');
    await page.getByRole('link', { name: 'Claims', exact: true }).focus();
    assert.ok(await showsFocus(page));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Claims' }).waitFor();
    await focuses(page, 'h1: Claims', 'the focus follows the address');
  });

  for (const [name, options] of [['light', { viewport: NARROW }], ['dark', { viewport: NARROW, dark: true }]]) {
    it(`fits 360 pixels, ${name}`, async () => {
      await begin('overview', options);
      for (const route of ['overview', 'operators', 'checkpoints', 'rounds', 'supply', `claim/${chain.disputed.claim}`, `round/${chain.round.id}`]) {
        await page.goto(`${gateway.url}/#/${route}`);
        await main().locator('h1').waitFor();
        await page.waitForTimeout(500);
        await fits(page);
        await picture(page, `narrow-explorer-${route.replace('/', '-')}-${name}`);
      }
    });
  }

  it('goes on where the node was restarted', async () => {
    await begin('overview');
    await chain.world.restartNode();
    await page.locator('.status').getByText('Noema Development').waitFor({ timeout: 60_000 });
    const head = page.locator('.status a');
    const before = await head.textContent();
    await page.waitForFunction((text) => document.querySelector('.status a').textContent !== text, before);
    // A lost connection is an error that the browser reports.
    session.forgive(/WebSocket|API-WS|disconnected from/);
  });
});
