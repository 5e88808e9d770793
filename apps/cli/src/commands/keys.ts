/** `keys show|backup|restore|devices|add|revoke`: the account and the device that this home stands for. */
import { type Command, CommanderError } from 'commander';
import type { Identity } from '../identity.ts';
import { action, type Invocation } from '../invocation.ts';
import { addRunOption, type RunOptions } from './run-options.ts';

interface BackupOptions {
  readonly plain?: boolean;
  readonly force?: boolean;
  readonly passphraseFile?: string;
}

type RestoreOptions = Omit<BackupOptions, 'plain'>;

export function register(program: Command): void {
  const keys = program
    .command('keys')
    .description("this member's keys: show, back up, restore; devices of the account: list, add, revoke")
    .addHelpText('after', examples);
  keys
    .command('show [nothing...]', { isDefault: true })
    .usage('[options]')
    .description('print the account and the device; makes them at first need')
    .addHelpText('after', '\nExamples:\n  folkmoot keys\n  folkmoot keys show --json')
    .action(action(show));
  keys
    .command('backup <file>')
    .description('write the keys to a file, encrypted with a passphrase')
    .option('--plain', 'unencrypted: whoever reads the file is this member')
    .option('--passphrase-file <file>', 'take the passphrase from the first line of a file')
    .option('--force', 'replace the file where it exists')
    .addHelpText('after', backupExamples)
    .action(action(backup));
  addRunOption(keys.command('devices'))
    .description('list the devices of this account in the run')
    .addHelpText('after', '\nExample:\n  folkmoot keys devices')
    .action(action(devices));
  addRunOption(keys.command('add <device>'))
    .description('let another machine take part for this account: prints what to run there')
    .addHelpText('after', addExamples)
    .action(action(add));
  addRunOption(keys.command('revoke <device>'))
    .description(
      'disown a device that was lost or stolen: it takes no part any more; its credits stay with the account',
    )
    .addHelpText('after', revokeExamples)
    .action(action(revoke));
  keys
    .command('restore <file>')
    .description('take the keys from a backup')
    .option('--passphrase-file <file>', 'take the passphrase from the first line of a file')
    .option('--force', 'replace the keys that are in this home')
    .addHelpText('after', restoreExamples)
    .action(action(restore));
}

const examples = `
Examples:
  folkmoot keys
  folkmoot keys backup /media/stick/folkmoot-keys.json
  folkmoot keys add 4f1c…`;

const backupExamples = `
Without the keys nobody can use the credits of this account: keep a backup on another disk.

Examples:
  folkmoot keys backup /media/stick/folkmoot-keys.json
  FOLKMOOT_PASSPHRASE=... folkmoot keys backup keys.json`;

const addExamples = `
DEVICE is what "folkmoot keys" prints on the other machine. The account's key stays here: the other machine can train and
audit for the account, and cannot move its credits. One account has one seat at a time, whichever device is ready.

Example:
  folkmoot keys add 4f1c…`;

const revokeExamples = `
DEVICE is its id, or the first digits of it: "folkmoot keys devices" lists them. It cannot be taken back.

Example:
  folkmoot keys revoke 4f1c`;

const restoreExamples = `
Examples:
  folkmoot keys restore /media/stick/folkmoot-keys.json
  folkmoot --home ~/second keys restore keys.json`;

async function show(call: Invocation, _options: object, words: readonly string[]): Promise<void> {
  // A mistyped command arrives here, since this one is the default.
  if (words.length > 0)
    throw new CommanderError(2, 'commander.unknownCommand', `unknown command '${words[0]}' of keys`);
  const { keysPath, openIdentity } = await import('../identity.ts');
  const identity = await openIdentity(call.home);
  call.object({ ...idsOf(identity), file: keysPath(call.home) });
  call.say(`account  ${identity.account.id}   owns the credits`);
  call.say(`device   ${identity.device.id}   signs the records`);
  call.say(`file     ${keysPath(call.home)}`);
}

async function backup(call: Invocation, options: BackupOptions, file: string): Promise<void> {
  const { openIdentity, printKeys } = await import('../identity.ts');
  const { encryptKeys, readBackup } = await import('../key-backup.ts');
  if (!options.force) await checkAbsent(file);
  const identity = await openIdentity(call.home);
  const passphrase = options.plain ? '' : await askFor(options.passphraseFile, true);
  const text = options.plain ? printKeys(identity) : encryptKeys(identity, passphrase);
  const written = await writeBackup(file, text, options.force === true);
  // A backup that does not open is found out now, not on the day it is needed.
  await readBackup(written, async () => passphrase);
  call.object({ ...idsOf(identity), file, encrypted: !options.plain });
  call.say(`The keys of ${identity.account.id} are in ${file}${options.plain ? ', unencrypted' : ''}.`);
}

async function restore(call: Invocation, options: RestoreOptions, file: string): Promise<void> {
  const { readIdentity, replaceIdentity } = await import('../identity.ts');
  const { readBackup } = await import('../key-backup.ts');
  const restored = await readBackup(await readBackupFile(file), () => askFor(options.passphraseFile, false));
  const present = await readIdentity(call.home);
  const isSame = present?.account.id === restored.account.id && present.device.id === restored.device.id;
  if (present !== undefined && !isSame && !options.force) throw await wouldLose(call.home, present, restored);
  const aside = isSame ? undefined : await replaceIdentity(call.home, restored);
  call.object({ ...idsOf(restored), replaced: isSame ? null : (present?.account.id ?? null) });
  call.say(isSame ? `This home has these keys already: ${restored.account.id}.` : `Restored ${restored.account.id}.`);
  if (aside !== undefined) call.say(`The keys that stood here before are in ${aside}.`);
}

async function devices(call: Invocation, options: RunOptions): Promise<void> {
  const { listDevices } = await import('../story/devices.ts');
  await listDevices(call, options.run);
}

async function add(call: Invocation, options: RunOptions, device: string): Promise<void> {
  const { addDevice } = await import('../story/devices.ts');
  await addDevice(call, options.run, device);
}

async function revoke(call: Invocation, options: RunOptions, device: string): Promise<void> {
  const { revokeDeviceOf } = await import('../story/devices.ts');
  await revokeDeviceOf(call, options.run, device);
}

async function wouldLose(home: string, present: Identity, restored: Identity): Promise<Error> {
  const { WorldError } = await import('@folkmoot/core');
  return new WorldError('keys-exist', 'This home has other keys, and restoring would take their place.', {
    facts: { home, 'account here': present.account.id, 'account in backup': restored.account.id },
    help:
      'The credits of the account here could no longer be used from this home. Restore into another home with ' +
      '--home DIR, or run "folkmoot keys backup FILE" and then restore with --force.',
  });
}

/** Before the passphrase is asked for, not after. */
async function checkAbsent(path: string): Promise<void> {
  const { existsSync } = await import('node:fs');
  const { WorldError } = await import('@folkmoot/core');
  if (!existsSync(path)) return;
  throw new WorldError('backup-exists', 'There is a file of that name already.', {
    facts: { file: path },
    help: 'Choose another name, or replace the file with --force.',
  });
}

async function writeBackup(path: string, text: string, force: boolean): Promise<string> {
  const { chmod, readFile, writeFile } = await import('node:fs/promises');
  const { WorldError } = await import('@folkmoot/core');
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx', mode: 0o600, flush: true });
    // The mode above is that of a new file only.
    await chmod(path, 0o600);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new WorldError('backup-unwritable', 'The backup was not written.', {
      facts: { file: path, found: (cause as Error).message },
      help: 'Check the path and the disk.',
      cause,
    });
  }
}

async function readBackupFile(path: string): Promise<string> {
  const { open } = await import('node:fs/promises');
  const { WorldError } = await import('@folkmoot/core');
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > 65_536) throw new Error(`it is ${size} bytes long, and a backup is about one thousand`);
    return await file.readFile('utf8');
  } catch (cause) {
    throw new WorldError('backup-unreadable', 'The backup cannot be read.', {
      facts: { file: path, found: (cause as Error).message },
      help: 'Check the path: it is the file that "folkmoot keys backup" wrote.',
      cause,
    });
  }
}

async function askFor(file: string | undefined, isNew: boolean): Promise<string> {
  const { readPassphrase } = await import('../passphrase.ts');
  return readPassphrase(file, isNew);
}

function idsOf(identity: Identity): { account: string; device: string } {
  return { account: identity.account.id, device: identity.device.id };
}
