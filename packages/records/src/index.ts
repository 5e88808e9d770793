export * from './blinds.ts';
export * from './charter.ts';
export * from './charter-check.ts';
export * from './entry.ts';
export * from './header.ts';
export * from './invite.ts';
export * from './record.ts';
export * from './trace.ts';
