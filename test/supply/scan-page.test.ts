import assert from 'node:assert/strict';

import { DataMatrixReader, BinaryBitmap, HybridBinarizer, RGBLuminanceSource } from '@zxing/library';
import { checkDigit } from '@salus/gateway/supply/gs1/check-digit';
import { type Browser, chromium, type Page } from 'playwright-core';

import { networkOfSuite } from '../support/network.js';
import { GTIN, pack, sscc, tell, TradeSystem } from './packs.js';

const PHONE = { width: 360, height: 740 };
const CODE = (serial: number): string => `01${GTIN}1799123121${serial}\u001d10SCAN-1`;

/** In the page: the points of a picture, one number each. */
const DRAWN = `async (svg) => {
  const image = new Image();
  image.src = 'data:image/svg+xml;base64,' + btoa(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 400 });
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, 400, 400);
  context.drawImage(image, 40, 40, 320, 320);
  return Array.from(context.getImageData(0, 0, 400, 400).data.filter((_, index) => index % 4 === 0));
}`;

describe('the page at the counter', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const serials = [9101, 9102, 9103];
  const pallet = sscc(91);
  let browser: Browser;
  let page: Page;
  let acme: TradeSystem;

  const origin = (member: string): string => new URL(network.fhir(member)).origin;
  /** Scans as a person does, and reads what the page says. */
  const scan = async (deed: string, code: string): Promise<string> => {
    await page.getByLabel('Code on the pack').fill(code);
    await page.getByRole('button', { name: deed }).click();
    return (await page.getByRole('status').innerText()).trim();
  };
  const toneOf = async (): Promise<string> => (await page.getByRole('status').getAttribute('class')) ?? '';

  before(async () => {
    acme = new TradeSystem(network, 'acme');
    await acme.capture(
      'supply-operator',
      tell.commissioned(serials, 'SCAN-1'),
      tell.packed(pallet, serials.slice(0, 2).map(pack)),
      tell.shipped([pallet], 'stmary'),
    );
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: PHONE });
    await page.goto(`${origin('stmary')}/scan`);
    await page.getByLabel('Your access token').fill(await network.token({ member: 'stmary', role: 'pharmacist' }));
  });

  after(async () => {
    await browser.close();
  });

  it('verifies, receives and dispenses, and says in words and colour what came of it', async () => {
    assert.match(await scan('Verify', CODE(9101)), /^! Genuine\. Not to be dispensed here: receive it first/);
    assert.match(await toneOf(), /warn/);
    const [, printed = ''] = /(\d{18})/.exec((await label(`https://id.gs1.org/00/${ssccDigits()}`)).code) ?? [];
    assert.match(await scan('Receive', `00${printed}`), /^✓ Received\./);
    assert.match(
      await scan('Verify', CODE(9101)),
      /^✓ Genuine\. It may be dispensed\.\s+GTIN 09521003000015, serial 9101\. yours, in stock/,
    );
    assert.match(await toneOf(), /good/);
    assert.match(await scan('Dispense', CODE(9101)), /^✓ Dispensed\..*Now dispensed, yours\./s);
    assert.match(
      await scan('Dispense', CODE(9101)),
      /^✕ Refused: this pack was dispensed.*An alert was raised: double-dispense/s,
    );
    assert.match(await toneOf(), /bad/);
    assert.match(
      await scan('Verify', CODE(9109)),
      /^✕ Not genuine as it is printed: keep it apart\..*No_match_GTIN_Serial/s,
    );
  });

  it('verifies what a hand scanner types and ends with Enter, and is ready for the next pack', async () => {
    await page.getByLabel('Code on the pack').fill(CODE(9102));
    await page.getByLabel('Code on the pack').press('Enter');
    assert.match(await page.getByRole('status').innerText(), /Genuine\. It may be dispensed/);
    assert.equal(await page.evaluate('document.activeElement?.id'), 'code');
    assert.match(await scan('Verify', `01${GTIN}21A110SCAN-117991231`), /group separator/);
  });

  it('fits a phone, and lets nobody in who has no token', async () => {
    await scan('Verify', CODE(9102));
    await page.waitForLoadState('load');
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width);
    await page.getByLabel('Your access token').fill('nobody');
    await page.getByLabel('Code on the pack').fill(CODE(9102));
    const answered = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('button', { name: 'Verify' }).click();
    assert.equal((await answered).status(), 401);
    assert.doesNotMatch(await page.getByRole('status').innerText(), /Genuine/);
  });

  it('reads the label that the pack’s issuer prints', async () => {
    const { code, svg } = await label(`https://id.gs1.org/01/${GTIN}/21/9103`);
    assert.equal(code, `(01)${GTIN}(17)991231(10)SCAN-1(21)9103`);
    const picture = await grey(svg);
    const source = new RGBLuminanceSource(picture.bytes, picture.width, picture.height);
    const read = new DataMatrixReader().decode(new BinaryBitmap(new HybridBinarizer(source))).getText();
    assert.equal(read.slice(read.indexOf('01')), `01${GTIN}1799123110SCAN-1\u001d219103`);
  });

  const ssccDigits = (): string => `09521003000000091${checkDigit('09521003000000091')}`;

  const label = async (epc: string): Promise<{ code: string; svg: string }> => {
    const { status, body, text } = await acme.ask('supply-operator', `label?epc=${encodeURIComponent(epc)}`);
    assert.equal(status, 200, text);
    return body as unknown as { code: string; svg: string };
  };

  /** The picture as a camera sees it, a byte a point. */
  const grey = async (svg: string): Promise<{ bytes: Uint8ClampedArray; width: number; height: number }> => {
    const empty = await browser.newPage();
    const points = await empty.evaluate<number[]>(`(${DRAWN})(${JSON.stringify(svg)})`);
    await empty.close();
    return { bytes: Uint8ClampedArray.from(points), width: 400, height: 400 };
  };
});
