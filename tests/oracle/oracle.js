// SPDX-License-Identifier: ISC
//
// oracle: stock tuf-js over folders, with no network.
//
//   node oracle.js mirror STATE MIRROR OUT PATH…    refreshes the client that STATE keeps (its root.json is the anchor) from
//                                                   MIRROR/metadata and fetches each PATH from MIRROR/targets into OUT
//   node oracle.js attacks FOLDER                   what it makes of each attack: NAME, what it did, what was foretold, why
//
// NODE_PATH names the folder that tuf-js is installed in. Exit status: 0 done, 1 tuf-js refused, 2 trouble.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { Readable } = require('stream');
const { BaseFetcher, Updater } = require('tuf-js');
const { DownloadHTTPError } = require('tuf-js/dist/error');

// http://mirror/<path> is <path> below FOLDER, as it is written: "%2F" in a role's name is in the file's name too.
class FolderFetcher extends BaseFetcher {
  constructor(folder) {
    super();
    this.folder = folder;
  }

  async fetch(url) {
    const file = path.join(this.folder, new URL(url).pathname);
    try {
      return Readable.from([await fs.promises.readFile(file)]);
    } catch (error) {
      throw new DownloadHTTPError(`${file}: ${error.code}`, 404);
    }
  }
}

function client(state, folder, metadata) {
  return new Updater({
    metadataDir: state,
    metadataBaseUrl: `http://mirror/${metadata}`,
    targetDir: state,
    targetBaseUrl: 'http://mirror/targets',
    fetcher: new FolderFetcher(folder),
  });
}

async function mirror(state, folder, out, paths) {
  const updater = client(state, folder, 'metadata');
  await updater.refresh();
  for (const name of paths) {
    const target = await updater.getTargetInfo(name);
    if (!target) throw new Error(`${name}: no role names it`);
    const file = path.join(out, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await updater.downloadTarget(target, file);
  }
  console.log(`${paths.length} targets, ${fs.readdirSync(state).length} files of metadata`);
}

// --- attacks ---------------------------------------------------------------------------------------------------------

// tuf-js asks the wall clock once, when a client is made.
const RealDate = Date;
function setClock(now) {
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length > 0 ? args : [now]));
    }
  };
}

// What the role's file that arrived, or that was there before, says of the target.
function hashesOf(folder, role, target) {
  const encoded = encodeURIComponent(role);
  for (const below of ['remote', 'local']) {
    const names = fs.existsSync(path.join(folder, below)) ? fs.readdirSync(path.join(folder, below)) : [];
    for (const name of names.filter((n) => n.replace(/^[0-9]+\./, '') === `${encoded}.json`)) {
      const { signed } = JSON.parse(fs.readFileSync(path.join(folder, below, name), 'utf8'));
      if (signed.targets[target]) return signed.targets[target].hashes;
    }
  }
  return undefined;
}

// Whether nobody may name it: null, or the fault that ends the search.
const isRefused = (role) => role === null || role.startsWith('TUF_');

// The first thing that keeps tuf-js from taking it all, or undefined.
async function attempt(folder, state, lookups, bytes) {
  const updater = client(state, folder, 'remote');
  await updater.refresh();
  for (const [name, role] of Object.entries(lookups)) {
    const target = await updater.getTargetInfo(name);
    if (!target) {
      if (!isRefused(role)) return `${name}: no role names it`;
      continue;
    }
    if (bytes !== null) await updater.downloadTarget(target, path.join(state, 'target'));
    if (isRefused(role)) return undefined;
    if (JSON.stringify(target.hashes) !== JSON.stringify(hashesOf(folder, role, name)))
      return `${name}: not the target of ${role}`;
  }
  return !Object.values(lookups).some(isRefused) ? undefined : 'no role names what it may not';
}

async function attack(folder) {
  const about = JSON.parse(fs.readFileSync(path.join(folder, 'case.json'), 'utf8'));
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'clapet-oracle.'));
  const ours = about.fault === 'NONE' && !Object.values(about.lookups).some(isRefused) && about.bytes !== 'refused';
  let why;
  try {
    fs.copyFileSync(path.join(folder, 'root.json'), path.join(state, 'root.json'));
    if (fs.existsSync(path.join(folder, 'local')))
      for (const name of fs.readdirSync(path.join(folder, 'local')))
        fs.copyFileSync(path.join(folder, 'local', name), path.join(state, name));
    setClock(Date.parse(about.now));
    why = await attempt(folder, state, about.lookups, about.bytes);
  } catch (error) {
    why = `${error.name}: ${error.message}`;
  } finally {
    globalThis.Date = RealDate;
    fs.rmSync(state, { recursive: true });
  }
  const does = why === undefined ? 'takes' : 'refuses';
  const foretold = (about.stockDiffers === null) === ours ? 'takes' : 'refuses';
  return [does, foretold, why === undefined ? about.stockDiffers ?? 'no attack' : why];
}

async function attacks(folder) {
  for (const name of fs.readdirSync(folder).sort())
    if (fs.existsSync(path.join(folder, name, 'case.json')))
      console.log([name, ...(await attack(path.join(folder, name)))].join('\t').replace(/[\r\n]+/g, ' '));
}

const [command, ...args] = process.argv.slice(2);
const run = { mirror: ([state, folder, out, ...paths]) => mirror(state, folder, out, paths), attacks: ([folder]) => attacks(folder) };
if (!run[command]) {
  console.error('usage: oracle.js mirror STATE MIRROR OUT PATH… | attacks FOLDER');
  process.exit(2);
}
run[command](args).catch((error) => {
  console.error(`${error.name}: ${error.message}`);
  process.exit(error.code === undefined ? 1 : 2);
});
