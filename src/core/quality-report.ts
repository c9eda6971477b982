/**
 * The quality report of a linkage (`shared/LINKAGE.md`): what the key side counted while it linked, joined with what the data
 * side counted after assembly. Counts only, small ones hidden.
 */
import { z } from 'zod'
import type { LinkageReport } from './linkage-report.ts'
import { qualityCountsSchema } from './quality-counts.ts'

const countSchema = z.int().min(0).nullable()
const titleSchema = z.strictObject({ en: z.string(), ko: z.string() })

const byNameSchema = z.record(z.string(), countSchema)

const flowSchema = z.strictObject({
  agency: z.string(),
  isSpine: z.boolean(),
  /** Serials, those linked, those of each pass, and the others by what they are. */
  delivered: countSchema,
  linked: countSchema,
  linkedByPass: byNameSchema,
  unlinked: byNameSchema,
  /** Linked serials if only the surest passes count, those that link by rule, or all that may be. */
  sensitivity: z.strictObject({
    passes1to2: countSchema,
    passes1to6: countSchema,
    withPossible: countSchema,
  }),
  /** Key type → serials that have it. */
  withKey: byNameSchema,
  /** Linked serials beyond the first of their person. */
  duplicates: countSchema,
})

/** What became of the records of one agency. */
export type Flow = z.infer<typeof flowSchema>

/** What the key side counted, as far as it is told, the spine first. */
export function flowOf(
  { agencies }: Pick<LinkageReport, 'agencies'>,
  spine: string | undefined,
): Flow[] {
  return Object.entries(agencies)
    .map(([agency, told]) => {
      const { serials, linked, linkedByPass, unlinked, sensitivity, withKey, duplicates } = told
      const isSpine = agency === spine
      const flow = { delivered: serials, linked, linkedByPass, unlinked, sensitivity }
      return { agency, isSpine, ...flow, withKey, duplicates }
    })
    .sort((a, b) => Number(b.isSpine) - Number(a.isSpine) || (a.agency < b.agency ? -1 : 1))
}

/** The document. */
export const qualityReportSchema = z.strictObject({
  format: z.literal('gyeol-quality-1'),
  linkage: z.uuid(),
  /** A trial: no cohort rests on it, so the data side never counts. */
  isTrial: z.boolean(),
  project: z.strictObject({ id: z.uuid(), name: z.string() }),
  rulesVersion: z.string(),
  /** When the linkage was asked for, and when it ended. */
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  /** Counts of fewer persons than this are hidden. */
  threshold: z.int().min(1),
  /** Persons of the spine. */
  persons: z.int().min(0).nullable(),
  /** Key type → keys that stand for nobody. */
  hubs: byNameSchema,
  /** Pairs of an unlinked record and a person it may be. */
  cases: countSchema,
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
