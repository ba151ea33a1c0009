// Prints a Homebrew formula for a packed package that is published at the given URL.
//   npm pack && node scripts/homebrew-formula.mjs trade-agent-0.1.0.tgz --url https://HOST/trade-agent-0.1.0.tgz [--homepage URL]
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { url: { type: 'string' }, homepage: { type: 'string' } },
});
const [tarball] = positionals;
const { url, homepage } = values;
if (tarball === undefined || url === undefined || new URL(url).protocol !== 'https:') {
  console.error('usage: node scripts/homebrew-formula.mjs TARBALL --url https://… [--homepage https://…]');
  process.exit(2);
}
const { description, license } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const sha256 = createHash('sha256').update(readFileSync(tarball)).digest('hex');

// Homebrew limits descriptions to 80 characters and rejects a leading article.
const [short] = description.replace(/^An? /, '').split(' that ');
const line = (name, value) => `  ${name} ${JSON.stringify(value).replaceAll('#{', '\\#{')}`;

// `npm install` runs no package scripts, because the libraries ship their binaries.
console.log(`class TradeAgent < Formula
${[
  line('desc', `${short[0].toUpperCase()}${short.slice(1)}`),
  ...(homepage === undefined ? [] : [line('homepage', homepage)]),
  line('url', url),
  line('sha256', sha256),
  line('license', license),
].join('\n')}

  depends_on "node"

  def install
    system "npm", "install", *std_npm_args(ignore_scripts: true)
    bin.install_symlink libexec.glob("bin/*")
    man1.install_symlink libexec/"lib/node_modules/trade-agent/man/trade-agent.1"
    generate_completions_from_executable(bin/"trade-agent", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/trade-agent --version")
    assert_match "cannot place an order", shell_output("#{bin}/trade-agent --help")
  end
end`);
