/** Everybody who misbehaves, by the name under which `up --cheater` and the simulator know them. */
import type { Conduct } from '@folkmoot/node';
import { backDoor } from './back-door.ts';
import { censor, dawdler, forker } from './bad-sequencers.ts';
import { copycat } from './copycat.ts';
import { cornerCutter } from './corner-cutter.ts';
import { equivocator } from './equivocator.ts';
import { falseAccuser } from './false-accuser.ts';
import { forgedFeedback } from './forged-feedback.ts';
import { freeRider } from './free-rider.ts';
import { idler } from './idler.ts';
import { indexForger } from './index-forger.ts';
import { lateRevealer } from './late-revealer.ts';
import { lazyAuditor } from './lazy-auditor.ts';
import { leaver } from './leaver.ts';
import { memoryBomb } from './memory-bomb.ts';
import { pair } from './pair.ts';
import { Plan } from './plan.ts';
import { poisoner, signFlipper } from './poisoner.ts';
import { precomputer } from './precomputer.ts';
import { replayer } from './replayer.ts';
import { sleeper } from './sleeper.ts';
import { sybilSwarm } from './sybil-swarm.ts';
import { withholder } from './withholder.ts';
import { zeros } from './zeros.ts';

export interface Adversary {
  /** What it does. */
  readonly description: string;
  /** What it hopes to gain by it. */
  readonly aim: string;
  /** `accomplices`: two or more that share a plan. `sequencer`: only the creator of the run can play it. */
  readonly needs: 'nobody' | 'accomplices' | 'sequencer';
  /** A member's conduct, made anew for each member; accomplices are given one plan. */
  conduct(plan?: Plan): Conduct;
}

const alone = (conduct: () => Conduct, description: string, aim: string): Adversary => ({
  description,
  aim,
  needs: 'nobody',
  conduct,
});

const together = (conduct: (plan: Plan) => Conduct, description: string, aim: string): Adversary => ({
  description,
  aim,
  needs: 'accomplices',
  conduct: (plan = new Plan()) => conduct(plan),
});

const ordering = (conduct: () => Conduct, description: string, aim: string): Adversary => ({
  description,
  aim,
  needs: 'sequencer',
  conduct,
});

export const ADVERSARIES = {
  idler: alone(idler, 'holds a seat and never commits', 'to be paid for being there'),
  'free-rider': alone(freeRider, 'trains nothing and offers noise', 'pay without work'),
  zeros: alone(zeros, 'trains nothing and says so in a well-formed update', 'pay without work'),
  copycat: alone(copycat, 'offers what another revealed the round before', 'pay without work'),
  'corner-cutter': alone(cornerCutter, 'leaves out one segment of each round', 'pay for a little less work'),
  precomputer: alone(precomputer, 'works rows of its own guessing ahead of the draw', 'time, and data of its choice'),
  replayer: alone(replayer, 'offers one round’s work for ever, repeats others’ records', 'pay for old work'),
  poisoner: alone(poisoner, 'offers the opposite of its work, a hundredfold', 'a broken base'),
  'sign-flipper': alone(signFlipper, 'offers the opposite of its work at its own size', 'a base that unlearns'),
  'back-door': alone(backDoor, 'turns a hundredth of the parameters in the last segment', 'a base with a back door'),
  'forged-feedback': alone(forgedFeedback, 'invents the error memory it encodes with', 'any update after honest steps'),
  'late-revealer': alone(
    lateRevealer,
    'reveals at the last moment, or not at all',
    'to choose after seeing the others',
  ),
  withholder: alone(withholder, 'gives nobody its bytes', 'pay for what cannot be checked'),
  'memory-bomb': alone(memoryBomb, 'offers artifacts that do not fit or never end', 'members out of memory'),
  leaver: alone(leaver, 'works nothing and leaves when it is to open', 'pay for what was not audited'),
  sleeper: alone(sleeper, 'honest until audits are rare, then works nothing', 'pay for what was not audited'),
  'lazy-auditor': alone(lazyAuditor, 'finds everything good without looking', 'to save an auditor’s work'),
  'false-accuser': alone(falseAccuser, 'finds everything wrong without looking', 'others without pay'),
  equivocator: alone(equivocator, 'signs two commits, headers and results for one place', 'two stories to choose from'),
  'index-forger': alone(indexForger, 'claims seats, attestations and audits of others', 'roles that were not drawn'),
  pair: together(pair, 'trainers who do not work and swear for each other as auditors', 'pay without work'),
  'sybil-swarm': together(
    sybilSwarm,
    'many accounts of one person; the pair’s ways, and as witnesses they attest only each other',
    'the majority, and all pay',
  ),
  censor: ordering(censor, 'refuses one member’s commits and openings', 'a member that seems late'),
  dawdler: ordering(dawdler, 'lets every record lie for two seconds', 'members that seem late'),
  forker: ordering(forker, 'tells half of its followers another log', 'two bases'),
} as const satisfies Record<string, Adversary>;

export type AdversaryName = keyof typeof ADVERSARIES;

/** Those that one process can play in a run that another has created: what `--cheater` takes. */
export const CHEATER_NAMES = (Object.keys(ADVERSARIES) as AdversaryName[]).filter(
  (name) => ADVERSARIES[name].needs === 'nobody',
);

/** Whether `name` can be given to `--cheater`. */
export function isCheaterName(name: string): name is AdversaryName {
  return (CHEATER_NAMES as readonly string[]).includes(name);
}

export { serving } from './serving.ts';
export { Plan };
