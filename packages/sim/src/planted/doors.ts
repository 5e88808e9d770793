/** Bugs in who is let in, how much a peer may ask, and what a claim about help may do. */
import type { PlantedBug } from './bug.ts';

const bug = (
  name: string,
  about: string,
  file: string,
  find: string,
  put: string,
  by: NonNullable<PlantedBug['by']>,
): PlantedBug => ({ name, area: 'doors', about, file: `packages/${file}`, find, put, by });

const ADMISSION = 'packages/protocol/src/admission.test.ts';
const GUARD = 'packages/node/src/guard.test.ts';
const HELP = 'packages/protocol/src/help.test.ts';

export const DOOR_BUGS: readonly PlantedBug[] = [
  bug(
    'tickets-for-ever',
    'a ticket is good after its time',
    'protocol/src/admission.ts',
    "if (ticket.untilMs <= state.head.atMs) return 'invite-expired';",
    '',
    ADMISSION,
  ),
  bug(
    'tickets-uncounted',
    'a ticket lets in any number',
    'protocol/src/admission.ts',
    "if ((known?.used ?? 0) >= ticket.uses) return 'invite-used-up';",
    '',
    ADMISSION,
  ),
  bug(
    'tickets-not-withdrawn',
    'a ticket that was taken back lets in all the same',
    'protocol/src/admission.ts',
    "if (known?.withdrawn) return 'invite-withdrawn';",
    '',
    ADMISSION,
  ),
  bug(
    'tickets-of-anybody',
    'a ticket need not be signed for the device that shows it',
    'protocol/src/admission.ts',
    "return isGenuine(admission, body.device) ? null : ADMISSION['invite-forged'];",
    'return null;',
    ADMISSION,
  ),
  bug(
    'the-revoked-speak',
    'a device that its account has revoked goes on',
    'protocol/src/apply.ts',
    "  if (member?.revoked) return 'the device was revoked by its account';\n",
    '',
    'packages/protocol/src/revocation.test.ts',
  ),
  bug(
    'places-uncounted',
    'many keys at one place are as many peers',
    'node/src/guard.ts',
    'return mayDevice && mayPlace;',
    'return mayDevice;',
    GUARD,
  ),
  bug(
    'floods-are-answered',
    'a peer is answered as often as it asks',
    'node/src/guard.ts',
    'return mayDevice && mayPlace;',
    'return mayPlace;',
    GUARD,
  ),
  bug(
    'slowness-is-a-fault',
    'whoever is slow is banned in the end',
    'node/src/standing.ts',
    'this.#fault += OFFENCES[offence].fault;',
    'this.#fault += OFFENCES[offence].fault + OFFENCES[offence].strain;',
    GUARD,
  ),
  bug(
    'help-raises-nothing',
    'who does not help on its own rows is audited as rarely as the others',
    'protocol/src/help.ts',
    'return samples >= LEAST_SAMPLES && mean < LITTLE ? RAISE : 1;',
    'return samples >= LEAST_SAMPLES && mean < 0 ? RAISE : 1;',
    HELP,
  ),
  bug(
    'slander-raises',
    'one measurement can undo all others',
    'protocol/src/help.ts',
    'const part = Math.max(0, Math.min(2000, Math.trunc((1000 * help) / usual)));',
    'const part = Math.trunc((1000 * help) / usual);',
    HELP,
  ),
  bug(
    'anybody-measures',
    'a witness may measure whom it likes',
    'protocol/src/help.ts',
    "return scores.length === 1 && scores[0]!.trainer === subject.trainer ? null : 'another update was to be measured';",
    "return scores.length === 1 ? null : 'another update was to be measured';",
    HELP,
  ),
];
