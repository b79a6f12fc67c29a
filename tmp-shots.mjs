import { chromium } from 'playwright-core';
import { spawn } from 'node:child_process';
const gateway = spawn('node', ['dist/gateway/main.js', 'serve'], { env: { ...process.env, CAPTION_PORT: '0', CAPTION_RECOGNISERS: '1' } });
let log = ''; gateway.stderr.on('data', (d) => (log += d));
const url = await new Promise((resolve) => { const t = setInterval(() => { const m = /"url":"([^"]+)"/.exec(log); if (m) { clearInterval(t); resolve(m[1]); } }, 100); });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--use-fake-device-for-media-stream','--use-fake-ui-for-media-stream','--use-file-for-fake-audio-capture=/work/shared/speech/LJ001-0001.wav'] });
const shot = (page, name) => page.screenshot({ path: `/tmp/x/${name}.png` });
try {
  const open = async (o, path) => { const c = await browser.newContext({ locale: 'en-GB', viewport: { width: 1000, height: 700 }, ...o }); const p = await c.newPage(); p.on('console', (m) => console.log(name(m), m.text())); await p.goto(url + path); return p; };
  const name = (m) => m.type();
  const a = await open({}, '/?room=council');
  await a.getByRole('button', { name: 'Caption my voice' }).click();
  await a.waitForTimeout(9000);
  await shot(a, 'room-light');
  const p1 = await open({}, '/'); await p1.waitForTimeout(1500); await shot(p1, 'pick-light');
  const p2 = await open({ colorScheme: 'dark', viewport: { width: 360, height: 700 }, locale: 'fr-FR' }, '/'); await p2.waitForTimeout(1500); await shot(p2, 'pick-dark-360-fr');
  const p3 = await open({ colorScheme: 'dark', viewport: { width: 360, height: 700 }, locale: 'de-DE' }, '/?room=council'); await p3.waitForTimeout(1500); await shot(p3, 'room-dark-360-de');
  const p4 = await open({ viewport: { width: 320, height: 256 } }, '/?room=council'); await p4.waitForTimeout(1500); await shot(p4, 'room-320x256');
  const p5 = await open({}, '/?room=council&layout=overlay'); await p5.waitForTimeout(1500); await shot(p5, 'room-overlay');
  const p6 = await open({}, '/?room=empty'); 
  await p6.addInitScript(() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')); });
  await p6.reload(); await p6.getByRole('button', { name: 'Caption my voice' }).click(); await p6.getByRole('button', { name: 'Download' }).click(); await p6.waitForTimeout(800); await shot(p6, 'room-errors');
  const p7 = await open({ forcedColors: 'active' }, '/?room=council'); await p7.waitForTimeout(1500); await shot(p7, 'room-forced');
} finally { await browser.close(); gateway.kill('SIGTERM'); }
