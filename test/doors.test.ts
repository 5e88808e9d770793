/** Who gets in and who is put out, as people type it: invites with a limit, a second machine, a lost one. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { sha256 } from '@folkmoot/core';
import { parseInvite } from '@folkmoot/records';
import { openLog, projectRoot, World } from './harness.ts';

test('an invite lets in as many as it says; a second machine joins for its account; a lost one is put out', async (t) => {
  const world = new World(t);
  // No round opens: this is about doors, and training would only take time.
  const port = await freePort();
  const rules = ['--admission', 'invite', '--member-invites', '0', '--min-members', '9'];
  const ana = await world.create('ana', [...rules, '--http', String(port)]);
  const { invite: bare, runId } = await ana.started();
  const log = openLog(ana.home, runId);
  const ask = async (home: string, ...args: string[]) => JSON.parse(await folkmoot(world.home(home), args));

  // The charter over HTTP, and in a folder for any web server.
  assert.deepEqual(parseInvite(bare).mirrors, [`http://127.0.0.1:${port}`]);
  const served = await fetch(`http://127.0.0.1:${port}/artifacts/${runId}`);
  assert.equal(sha256(new Uint8Array(await served.arrayBuffer())), runId);
  const mirrored = await ask('ana', 'mirror', join(world.folder, 'public'));
  assert.ok(mirrored.written > 5);
  assert.equal(sha256(readFileSync(join(world.folder, 'public', 'artifacts', runId))), runId);

  const refused = await world.join('eve', bare, []).failure();
  assert.equal(refused.code, 'invite-needed');
  assert.match(refused.help, /folkmoot invite/);

  const { invite, ticket } = await ask('ana', 'invite', '--limit', '1', '--expires', '1h');
  const ben = world.join('ben', invite, []);
  await ben.started();
  const late = await world.join('eve', invite, []).failure();
  assert.deepEqual([late.code, late.facts.uses], ['invite-used-up', 1]);
  assert.deepEqual((await ask('ana', 'invite', '--tickets')).tickets, [{ key: ticket.key, used: 1, withdrawn: false }]);

  const open = await ask('ana', 'invite', '--limit', '5');
  await ask('ana', 'invite', '--withdraw', open.ticket.key);
  assert.equal((await world.join('eve', open.invite, []).failure()).code, 'invite-withdrawn');

  // Ben's second machine: the account's key never goes there.
  const { device } = await ask('ben 2', 'keys', 'show');
  const added = await ask('ben', 'keys', 'add', device);
  const second = world.join('ben 2', added.invite, ['--vouch', added.vouch]);
  assert.equal((await second.started()).member, added.account);
  await log.until('two devices', (state) => state.doors.accounts[added.account]!.devices.length === 2, [ana]);

  await ask('ben', '--yes', 'keys', 'revoke', device.slice(0, 8));
  await log.until('the revocation', (state) => state.members[device]!.revoked, [ana]);
  const devices: { device: string; state: string }[] = (await ask('ana', 'status')).members;
  assert.equal(devices.find((member) => member.device === device)?.state, 'revoked');
});

async function folkmoot(home: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(projectRoot, 'folkmoot'), ['--home', home, '--json', ...args]);
  return stdout;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
