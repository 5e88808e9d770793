/** Every command, in the order in which `--help` lists them. */
import type { Register } from '../program.ts';
import { register as bench } from './bench.ts';
import { register as chaos } from './chaos.ts';
import { register as create } from './create.ts';
import { register as doctor } from './doctor.ts';
import { register as evaluate } from './evaluate.ts';
import { register as exportModel } from './export.ts';
import { register as fork } from './fork.ts';
import { register as fuzz } from './fuzz.ts';
import { register as generate } from './generate.ts';
import { register as invite } from './invite.ts';
import { register as join } from './join.ts';
import { register as keys } from './keys.ts';
import { register as log } from './log.ts';
import { register as mirror } from './mirror.ts';
import { register as program } from './program.ts';
import { register as relay } from './relay.ts';
import { register as replay } from './replay.ts';
import { register as sim } from './sim.ts';
import { register as status } from './status.ts';
import { register as test } from './test.ts';
import { register as up } from './up.ts';
import { register as why } from './why.ts';

export const commands: readonly Register[] = [
  up,
  create,
  fork,
  join,
  invite,
  status,
  log,
  why,
  replay,
  generate,
  evaluate,
  exportModel,
  program,
  keys,
  relay,
  mirror,
  doctor,
  bench,
  test,
  fuzz,
  chaos,
  sim,
];
