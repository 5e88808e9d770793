/**
 * Help: by how much more an update lowers the loss on the rows that its trainer was given than on others.
 *
 * It is one member's measurement, noisy on similar data: it may raise how often a trainer is audited, and decides nothing.
 */
import { z } from 'zod';
import { device } from './fields.ts';

/** A witness measures so many updates of a round at most. */
export const MAX_SCORED = 2;

/** Largest help that counts, either way: millionths of a nat per token. */
export const MAX_HELP = 1_000_000;

export const scoreFields = {
  scores: z
    .array(z.strictObject({ trainer: device, help: z.int().min(-MAX_HELP).max(MAX_HELP) }))
    .min(1)
    .max(MAX_SCORED),
};
