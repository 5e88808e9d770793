/**
 * Where a bug that needs a certain evil is looked for: a pattern for `sceneOf` of a plan. Of the seeds of every commit only those worlds
 * are run, in their order; the others could not show it.
 */
const IDLE = '(free-rider|zeros|copycat|precomputer)';
const SWAPPED = '(poisoner|sign-flipper|forged-feedback)';
const AWAY = '(crash|pause|partition|torn-write|mass-leave)';

export const AIMS: Readonly<Record<string, string>> = {
  'a-stale-log-is-a-lie': 'lost-office',
  'one-round-counts-twice': 'censor',
  'the-word-is-enough': 'censor',
  'grievances-of-all-terms': 'censor',
  'complaints-come-to-nothing': 'censor',
  'newcomers-decide': 'flash-join',
  'witnesses-in-order': 'fewWitnesses',
  'any-reserve': 'leases.*(crash|pause|mass-leave)',
  'encoding-unchecked': SWAPPED,
  'distance-ignored': 'corner-cutter|precomputer|back-door|sleeper',
  'overruled-auditors-go-on': 'false-accuser|lazy-auditor',
  'one-accuser-is-enough': `${IDLE}|${SWAPPED}|false-accuser`,
  'match-with-other-bits': IDLE,
  'refused-state-goes-on': `${IDLE}|${SWAPPED}`,
  'nothing-is-tainted': `${IDLE}|${SWAPPED}`,
  'memory-is-lost': AWAY,
  'void-is-paid': AWAY,
  'late-is-paid': `idler|${AWAY}`,
  'forfeit-keeps': 'lost-office|equivocator|sleeper|corner-cutter',
  'frozen-credit-unlocks': 'leaver|withholder|memory-bomb|sleeper|crash|torn-write',
  'leased-is-paid-whole': 'leases.*(crash|torn-write|mass-leave)',
  'leased-is-worked-again': 'leases.*(crash|torn-write|mass-leave)',
  'a-part-is-paid-whole': 'leases.*(crash|torn-write|mass-leave)',
  'log-reopened-short': 'crash|torn-write|lost-tail',
  'snapshot-of-another-time': 'lost-tail',
  'loss-is-not-told': 'lost-store',
  'trace-not-kept': 'crash|torn-write|lost-tail',
  'time-goes-back': 'clock-skew:0',
  'own-numbers': 'crash|torn-write|lost-tail|mass-leave',
  'lost-peers-stay-lost': 'partition',
  'followed-once': 'partition|loss',
  'everything-is-appended': 'duplication|replayer|index-forger',
};
