// The page of every command in a real browser.
//
//     node tests/html/run.mjs --brownout target/debug/brownout --modules target/ci-node
//         [--chromium /usr/bin/chromium] [--shots FOLDER] [--require-all]
//
// Needs Chromium (Debian: chromium) and, in node_modules below --modules, axe-core and puppeteer-core
// (npm). It installs nothing; where something is missing it says so, and fails with --require-all.
//
// Each page, light and dark: no violation of WCAG that axe-core calls serious or critical, nothing on
// the console, nothing asked of any network. The page of a run besides: keys move the cursor and the
// readout follows, zoom, picking a replica, a phone's width, print, and no script at all.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({ options: {
  brownout: { type: 'string', default: 'target/debug/brownout' },
  modules: { type: 'string', default: 'target/ci-node' },
  chromium: { type: 'string', default: '/usr/bin/chromium' },
  shots: { type: 'string' },
  'require-all': { type: 'boolean', default: false },
} });

// Every command, with the folder of its results.
const COMMANDS = [
  ['run', 'small', 'run small.toml'],
  ['compare', 'compare-small', 'compare small.toml --tier large --tier small'],
  ['sweep', 'sweep-small', 'sweep small.toml --set traffic.rate=20/s,40/s,80/s -n 2'],
  ['plan', 'plan-small', 'plan small.toml --judged 30s -n 3 --tolerance 10% --no-sensitivity'
    + ' --tier large --mode replica-loss --mode healthy'],
  ['availability', 'availability-often', 'availability often.toml --requests 2M'],
];

let passed = 0;
const failures = [];
const check = (what, fine, found = '') => {
  if (fine) { passed += 1; return; }
  failures.push(what);
  console.log(`FAILED: ${what}${found === '' ? '' : `: ${found}`}`);
};

function missing() {
  const require = createRequire(pathToFileURL(join(resolve(options.modules), 'package.json')));
  try {
    return { puppeteer: require('puppeteer-core'), axe: require('axe-core').source };
  } catch (error) {
    console.log(`tests/html is SKIPPED: no axe-core or puppeteer-core: ${error.message.split('\n')[0]}`);
    process.exit(options['require-all'] ? 1 : 0);
  }
}

function written(folder) {
  const brownout = resolve(options.brownout);
  for (const [, , command] of COMMANDS) {
    const words = command.split(' ').map(word => word.endsWith('.toml') ? join(HERE, word) : word);
    try {
      execFileSync(brownout, [...words, '--quiet', '--output', folder], { stdio: 'pipe' });
    } catch (error) {
      // Missed and undecided objectives are results as well.
      if (![1, 3].includes(error.status)) throw new Error(`${command}: ${error.stderr}`);
    }
  }
}

// A page that is open, with all that it said and asked for.
async function open(browser, file, { scheme = 'light', width = 1280, height = 800, script = true } = {}) {
  const page = await browser.newPage();
  const heard = { said: [], asked: [] };
  page.on('console', message => heard.said.push(message.text()));
  page.on('pageerror', error => heard.said.push(error.message));
  page.on('request', request => {
    const url = request.url();
    if (url !== pathToFileURL(file).href && !url.startsWith('data:')) heard.asked.push(url);
  });
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
  await new Promise(done => setTimeout(done, 150));
  return { page, heard };
}

async function shoot(page, name, full = false) {
  if (!options.shots) return;
  mkdirSync(options.shots, { recursive: true });
  await page.screenshot({ path: join(options.shots, `${name}.png`), fullPage: full });
}

async function audit(page, axe, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document));
  for (const violation of found.violations) {
    const where = violation.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' | ');
    const grave = ['serious', 'critical'].includes(violation.impact);
    if (grave) check(`${what}: ${violation.id} (${violation.impact})`, false, where);
    else console.log(`note: ${what}: ${violation.id} (${violation.impact}): ${where}`);
  }
  check(`${what}: axe-core looked`, found.passes.length > 15, found.passes.length);
}

// What looks for faults must find one.
async function control(browser, axe) {
  const page = await browser.newPage();
  await page.setContent('<html><body><p style="color:#bbb">pale</p><select></select></body></html>');
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document));
  const names = found.violations.map(one => one.id);
  check('axe-core finds what is wrong', ['color-contrast', 'select-name', 'html-has-lang']
    .every(name => names.includes(name)), names.join());
  await page.close();
}

async function everyPage(browser, axe, folder) {
  for (const [command, name] of COMMANDS) {
    const file = join(folder, name, 'report.html');
    for (const scheme of ['light', 'dark']) {
      const { page, heard } = await open(browser, file, { scheme });
      const what = `${command}, ${scheme}`;
      check(`${what}: nothing on the console`, heard.said.length === 0, heard.said.join('; '));
      check(`${what}: no network`, heard.asked.length === 0, heard.asked.join('; '));
      const seen = await page.evaluate(() => {
        const of = name => document.querySelector(name)?.getBoundingClientRect();
        const [verdict, picture] = [of('#verdict h2'), of('.picture svg')];
        return verdict?.bottom < innerHeight && picture?.height > 100 && picture?.top < innerHeight / 2;
      });
      check(`${what}: verdict and picture are on the first screen`, seen);
      await audit(page, axe, what);
      // What is behind something must be sound as well.
      await page.evaluate(() => document.querySelectorAll('details').forEach(one => { one.open = true; }));
      await audit(page, axe, `${what}, all open`);
      await shoot(page, `${command}-${scheme}`);
      if (scheme === 'light') await shoot(page, `${command}-full`, true);
      await page.close();
    }
    const { page } = await open(browser, file, { width: 360, height: 740 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(`${command}, phone: no scrolling to the side`, wide <= 360, `${wide} px`);
    await audit(page, axe, `${command}, phone`);
    await shoot(page, `${command}-phone`, true);
    await page.close();
  }
}

const readout = page => page.$eval('.readout', node => node.textContent);
const moment = page => page.$eval('.canvas', node => Number(node.getAttribute('aria-valuenow')));
const spanOf = page => page.$$eval('.canvas svg > g > text', all =>
  all.map(one => one.textContent).filter(text => /^\d+:\d\d/.test(text)));

async function explored(browser, file) {
  const { page, heard } = await open(browser, file);
  await page.focus('.canvas');
  const before = [await moment(page), await readout(page)];
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  const after = [await moment(page), await readout(page)];
  check('keys move the cursor', after[0] > before[0], `${before[0]} to ${after[0]}`);
  check('the readout follows', after[1] !== before[1], after[1]);
  check('the readout is announced', await page.$eval('.readout', it => it.getAttribute('aria-live')) === 'polite');
  const text = await page.$eval('.canvas', it => it.getAttribute('aria-valuetext'));
  check('the moment has a text', /^\d+:\d\d/.test(text), text);
  await page.keyboard.press('0');
  const all = await spanOf(page);
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  const near = await spanOf(page);
  check('keys zoom', all[0] === '0:00' && all.join() !== near.join(), `${all} to ${near}`);
  await page.click('.tools button[aria-label="Whole run"]');
  check('a button shows the whole run', (await spanOf(page)).join() === all.join());
  const box = await (await page.$('.canvas svg')).boundingBox();
  await page.mouse.move(box.x + box.width * .4, box.y + 90);
  const pointed = await moment(page);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * .6, box.y + 90, { steps: 4 });
  await page.mouse.up();
  const dragged = await spanOf(page);
  check('the pointer moves the cursor', Math.abs(pointed - 180 * .35) < 25, pointed);
  check('dragging zooms', dragged.join() !== all.join(), dragged.join());
  await page.keyboard.press('Escape');
  const panels = () => page.$$eval('.canvas .name', names => names.map(one => one.textContent));
  await page.select('#explorer-pick', 'r0');
  const lane = await page.$$eval('.canvas .picked', all => all.length);
  check('a replica can be picked', (await panels())[0].includes('a-1') && lane === 1, await panels());
  check('its CPU is linked', (await panels()).some(it => it === 'CPU in use, a-1'), await panels());
  await page.select('#explorer-pick', 'z1');
  check('a zone can be picked', (await panels())[0].includes('zone'), await panels());
  await page.select('#explorer-pick', 'all');
  await page.click('.moments button');
  check('a moment can be gone to', Math.abs(await moment(page) - 60) < 1.5, await moment(page));
  check('exploring is silent', heard.said.length === 0, heard.said.join('; '));
  await page.close();
}

async function printed(browser, file) {
  const { page } = await open(browser, file, { scheme: 'dark' });
  const pdf = await page.pdf({ format: 'A4' });
  const pages = Buffer.from(pdf).toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  check('it prints', pages >= 2 && pages < 20, `${pages} pages`);
  await page.emulateMediaType('print');
  const shown = await page.evaluate(() => {
    const is = name => document.querySelector(name)?.getBoundingClientRect().height > 0;
    return [is('.still svg'), is('#explorer'), getComputedStyle(document.documentElement).backgroundColor];
  });
  check('the drawn chart is printed', shown[0] && !shown[1], shown.join());
  check('print is dark on white', shown[2] === 'rgb(255, 255, 255)', shown[2]);
  if (options.shots) writeFileSync(join(options.shots, 'run.pdf'), pdf);
  await page.close();
}

async function without(browser, file) {
  const { page, heard } = await open(browser, file, { script: false });
  await shoot(page, 'run-without-script');
  const shown = await page.$eval('.still svg', chart => chart.getBoundingClientRect().height);
  check('without script the chart is there', shown > 300, shown);
  check('without script nothing is asked', heard.asked.length === 0, heard.asked.join());
  await page.close();
}

async function main() {
  const { puppeteer, axe } = missing();
  if (!existsSync(options.chromium)) {
    console.log(`tests/html is SKIPPED: there is no ${options.chromium}`);
    process.exit(options['require-all'] ? 1 : 0);
  }
  const folder = mkdtempSync(join(tmpdir(), 'brownout-html-'));
  const browser = await puppeteer.launch({ executablePath: options.chromium,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
  try {
    written(folder);
    const run = join(folder, 'small', 'report.html');
    await control(browser, axe);
    await everyPage(browser, axe, folder);
    await explored(browser, run);
    await printed(browser, run);
    await without(browser, run);
    const size = readFileSync(run).length;
    check('the page of a run is small', size <= 300_000, `${size} bytes`);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exit(failures.length ? 1 : 0);
}

await main();
