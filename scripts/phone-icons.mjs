// Renders the phone page's icons from src/home/phone/page/icon.svg and writes them as base64 to the module that serves
// them. Run it after changing the image: node scripts/phone-icons.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { launchChromium } from '../test/integration/chromium.ts';

const folder = new URL('../src/home/phone/page/', import.meta.url);
const picture = readFileSync(new URL('icon.svg', folder), 'utf8');
const background = '<rect width="512" height="512" fill="#0f6b43"/>';
if (!picture.includes(background)) throw new Error('icon.svg has another background than the round one made of it');

/** The image with rounded corners, for icons that no system crops to a shape. */
const rounded = picture.replace(background, background.replace('height="512"', 'height="512" rx="112"'));
/** The badge. Android only uses its alpha channel and draws it in one color. */
const badge = picture.replace(background, '').replace('viewBox="0 0 512 512"', 'viewBox="76 76 360 360"');
const icons = {
  192: [192, rounded],
  512: [512, rounded],
  maskable: [512, picture],
  apple: [180, picture],
  96: [96, badge],
};

const browser = await launchChromium();
const page = await browser.newPage();
const lines = [];
for (const [name, [size, svg]] of Object.entries(icons)) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>html,body{margin:0;background:transparent}svg{display:block}</style>${svg}`);
  const png = await page.screenshot({ omitBackground: true });
  lines.push(`  '${name}':\n    '${png.toString('base64')}',`);
}
await browser.close();
writeFileSync(
  new URL('icon-files.ts', folder),
  `/** The phone page's icons, PNG in base64, by name; scripts/phone-icons.mjs draws them from icon.svg. */
export const iconFiles = {
${lines.join('\n')}
} as const;
`,
);
