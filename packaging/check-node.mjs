// Plain JavaScript: it must run on any Node, to say that the rest does not. On Linux, `npm ci` brings the right Node along.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`This needs Node 22.18 or newer, best 24; found ${process.versions.node}.`);
  console.error('On Linux (x64, arm64) `npm ci` installs Node 24 in node_modules: run this with npm or npx.');
  console.error('Elsewhere, or after `npm ci --omit=optional`, install Node 24: https://nodejs.org/en/download');
  process.exit(2);
}
