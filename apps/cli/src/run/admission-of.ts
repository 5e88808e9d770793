/** Who may join, from the options of `create`. */
import { WorldError } from '@folkmoot/core';
import type { AdmissionRules } from '@folkmoot/records';
import type { AdmissionOptions } from '../commands/admission-options.ts';

/** `undefined`: everybody. Throws `bad-account`, `bad-number` or `admission-open`. */
export function admissionOf({
  admission,
  allow,
  memberInvites,
}: Partial<AdmissionOptions>): AdmissionRules | undefined {
  if (allow && admission !== 'list')
    throw new WorldError('admission-open', 'A list of accounts keeps nobody out of a run that is not by list.', {
      help: 'Add --admission list, or leave --allow away.',
    });
  if (admission === undefined || admission === 'open') return undefined;
  const perMember = naturalOf(memberInvites ?? '0');
  if (admission === 'invite') return { kind: 'invite', perMember };
  return { kind: 'list', accounts: (allow ?? []).map(accountOf), perMember };
}

/** An EVM address in any case. Throws `bad-account`. */
export function accountOf(text: string): string {
  const account = text.trim().toLowerCase();
  if (/^0x[0-9a-f]{40}$/.test(account)) return account;
  throw new WorldError('bad-account', `"${text.slice(0, 80)}" is not an account.`, {
    help: 'An account is 0x and 40 hexadecimal digits; "folkmoot keys" prints one’s own.',
  });
}

function naturalOf(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_536) return value;
  throw new WorldError('bad-number', `--member-invites is a natural number up to 65536, not "${text}".`);
}
