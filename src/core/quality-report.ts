/**
 * The quality report of a linkage (`shared/LINKAGE.md`): what the key side counted while it linked, joined with what the data
 * side counted after assembly. Counts only, small ones hidden.
 */
import { z } from 'zod'
import { qualityCountsSchema } from './quality-counts.ts'

const countSchema = z.int().min(0).nullable()
const titleSchema = z.strictObject({ en: z.string(), ko: z.string() })

const flowSchema = z.strictObject({
  agency: z.string(),
  isSpine: z.boolean(),
  /** Serials; those with a number; null: hidden. Delivered = linked + unlinked. */
  delivered: countSchema,
  withK1: countSchema,
  linked: countSchema,
  unlinked: countSchema,
  /** Linked records beyond the first of their person. */
  duplicates: countSchema,
  /** By what came of the records, linked ones first. */
  outcomes: z.array(
    z.strictObject({ outcome: z.string(), isLinked: z.boolean(), records: countSchema }),
  ),
  /** True where the unlinked are fewer than the threshold. */
  hasFewUnlinked: z.boolean(),
})

/** What became of the records of one agency. */
export type Flow = z.infer<typeof flowSchema>

/** The document. */
export const qualityReportSchema = z.strictObject({
  format: z.literal('gyeol-quality-1'),
  linkage: z.uuid(),
  project: z.strictObject({ id: z.uuid(), name: z.string() }),
  rulesVersion: z.string(),
  /** When the linkage was asked for, and when it ended. */
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  /** Counts of fewer persons than this are hidden. */
  threshold: z.int().min(1),
  /** Persons of the spine. */
  persons: z.int().min(0).nullable(),
  /** Numbers that stand for nobody; of numbers, not of persons, hidden all the same when small. */
  hubs: countSchema,
  titles: z.record(z.string(), titleSchema),
  /** Code → meaning, of the catalogue's regions. */
  regions: z.record(z.string(), titleSchema),
  flow: z.array(flowSchema),
  /** Whose parts the data side counted, and when; null: not counted yet. */
  cohort: z.uuid().nullable(),
  countedAt: z.iso.datetime().nullable(),
  counts: qualityCountsSchema.nullable(),
})

export type QualityReport = z.infer<typeof qualityReportSchema>
