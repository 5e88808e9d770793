/** I0: nothing breaks: no handler throws, no honest member stops on its own, nobody sees a fork where there is none. */
import { isWorldError } from '@folkmoot/core';
import { type Checker, short, type Truth } from './checker.ts';

export function surroundings({ isHonest, charter, hasForgotten }: Truth): Checker {
  return {
    invariant: 'I0',
    claim: 'no honest member stops on its own',
    told(person, notice) {
      if (!isHonest(person.id)) return undefined;
      if (notice.kind === 'fork-proven' && isHonest(notice.device) && !hasForgotten(notice.device))
        return `${short(notice.device)} is honest and has signed two entries ${notice.index} of term ${notice.term}`;
      if (notice.kind === 'contradiction-proven' && isHonest(notice.device) && !hasForgotten(notice.device))
        return `${short(notice.device)} is honest and is shown to have signed two records (${notice.what}) for one place`;
      const oneLog = isHonest(charter.sequencer) && !hasForgotten(charter.sequencer);
      if (notice.kind === 'fork-seen' && isHonest(notice.device) && oneLog)
        return `${short(notice.device)} names entry ${notice.index} of another log`;
      if (notice.kind !== 'trouble') return undefined;
      const { error } = notice;
      if (isWorldError(error, 'log-damaged') || isWorldError(error, 'diverged')) return error.message;
      if (isWorldError(error) || isAbort(error)) return undefined;
      return `something threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    },
  };
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || ['stopped', 'no longer owed'].includes(error.message))
  );
}
