/** `invite` in full: the line, with a ticket where the run asks for one; and what became of earlier tickets. */
import { isHash, shortId, signBytes, WorldError } from '@folkmoot/core';
import { httpMirror } from '@folkmoot/network';
import { withdrawalBytes } from '@folkmoot/records';
import type { InviteOptions } from '../commands/invite.ts';
import { openIdentity } from '../identity.ts';
import type { Invocation } from '../invocation.ts';
import { accountOf } from '../run/admission-of.ts';
import { bring } from '../run/bring.ts';
import { parseCount, parseDuration } from '../run/take-part.ts';
import { inviteTo } from './invite-line.ts';
import { openRun } from './open-run.ts';
import { Story } from './story.ts';
import { type Terms, ticketBy, ticketsOf } from './ticket.ts';

const DEFAULT_EXPIRY = '7d';

export async function runInvite(call: Invocation, options: InviteOptions): Promise<void> {
  const story = await Story.read(await openRun(call.home, options.run));
  if (options.withdraw !== undefined) return withdraw(call, story, options.withdraw);
  if (options.tickets) return list(call, story);
  const isLimited = options.limit !== undefined || options.expires !== undefined || options.for !== undefined;
  const ticket =
    isLimited || story.run.charter.admission
      ? ticketBy(await openIdentity(call.home), story, termsOf(options))
      : undefined;
  // A line that nobody could use must not be handed out.
  for (const url of options.mirror ?? []) httpMirror(url);
  const line = await inviteTo(story, { ticket, mirrors: options.mirror });
  call.object({ run: story.state.run, name: story.run.charter.name, ...line, ticket: ticket?.ticket });
  call.say(line.invite);
  if (!ticket) return;
  const { key, uses, untilMs, accounts } = ticket.ticket;
  const whom = accounts ? accounts.join(', ') : `${uses} ${uses === 1 ? 'account' : 'accounts'}`;
  call.note(
    `It lets in ${whom} until ${new Date(untilMs).toISOString()}. To take it back: folkmoot invite --withdraw ${key}`,
  );
}

function termsOf(options: InviteOptions): Terms {
  const accounts = options.for?.map(accountOf);
  const uses = options.limit === undefined ? (accounts?.length ?? 1) : parseCount('--limit', options.limit);
  return { uses, untilMs: Date.now() + parseDuration(options.expires ?? DEFAULT_EXPIRY), accounts };
}

async function withdraw(call: Invocation, story: Story, key: string): Promise<void> {
  if (!isHash(key))
    throw new WorldError('bad-ticket', 'That is not the id of a ticket.', {
      help: '"folkmoot invite" prints 64 hexadecimal digits with each invite; "folkmoot invite --tickets" lists used ones.',
    });
  const { device } = await openIdentity(call.home);
  const signature = signBytes(device, withdrawalBytes(story.state.run, key));
  await bring(story, 'withdraw', { issuer: device.id, key, signature });
  call.object({ run: story.state.run, withdrawn: key });
  call.say(`Ticket ${shortId(key)} lets nobody in any more.`);
}

async function list(call: Invocation, story: Story): Promise<void> {
  const tickets = ticketsOf(await openIdentity(call.home), story);
  call.object({ run: story.state.run, tickets });
  if (tickets.length === 0) call.say('No ticket of this member was used or withdrawn yet.');
  for (const { key, used, withdrawn } of tickets) call.say(`${key}  let in ${used}${withdrawn ? ', withdrawn' : ''}`);
}
