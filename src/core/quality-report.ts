/**
 * The quality report of a linkage (`shared/LINKAGE.md`): what the key side counted while it linked, joined with what the
 * data side counted after assembly. Counts only, small ones hidden.
 */
import { z } from 'zod'
import { qualityCountsSchema } from './quality-counts.ts'

const countSchema = z.int().min(0).nullable()
const titleSchema = z.strictObject({ en: z.string(), ko: z.string() })

const byNameSchema = z.record(z.string(), countSchema)

const flowShape = {
  agency: z.string(),
  isSpine: z.boolean(),
  /** Serials, those with a key by which they can be found, those linked, and how many persons these are. */
  delivered: countSchema,
  valid: countSchema,
  linked: countSchema,
  distinct: countSchema,
  /** The linked by pass, and the others by what they are. */
  linkedByPass: byNameSchema,
  unlinked: byNameSchema,
  /** Linked serials if only the surest passes count, those that link by rule, or all that may be. */
  sensitivity: z.strictObject({
    passes1to2: countSchema,
    passes1to6: countSchema,
    withPossible: countSchema,
  }),
  /** Linked serials beyond the first of their person. */
  duplicates: countSchema,
}
const flowSchema = z.strictObject({
  ...flowShape,
  /** Key type → serials that have it. */
  withKey: byNameSchema,
  /** Key type → keys that stood for no identifier, in all waves: set aside when they were taken in. */
  setAside: byNameSchema,
})
const waveFlowSchema = z.strictObject({ ...flowShape, wave: z.int().min(1) })

/** What became of the records of one agency, and of those of one of its waves. */
export type Flow = z.infer<typeof flowSchema>
export type WaveFlow = z.infer<typeof waveFlowSchema>

const rateSchema = z.strictObject({ share: z.number(), low: z.number(), high: z.number() })

const changeSchema = z.strictObject({
  /** The linkage that it is held against; null: there was none. */
  previous: z.uuid().nullable(),
  /** Persons: new, known before, given up to another, and new out of another. */
  founded: countSchema,
  kept: countSchema,
  merged: countSchema,
  split: countSchema,
  /** Serials of others than the spine: linked now and not before, before and not now, to another person. */
  attached: countSchema,
  detached: countSchema,
  moved: countSchema,
  /** Serials of nobody: destroyed because they have waited long enough, and still waiting. */
  expired: countSchema,
  waiting: countSchema,
  /** Records of the spine whose new keys wait for people, and those in decisions that contradict each other. */
  held: countSchema,
  torn: countSchema,
  /** What people have to look at. */
  cases: z.strictObject({
    possible: countSchema,
    conflict: countSchema,
    merge: countSchema,
    /** Linkages of before could not be doubted. */
    doubted: countSchema.default(0),
  }),
  /** Link rate of each agency then and now; `drift` is the difference of the shares, as far as both are told. */
  rates: z.array(
    z.strictObject({
      agency: z.string(),
      before: rateSchema.nullable(),
      now: rateSchema.nullable(),
      drift: z.number().min(-1).max(1).nullable(),
    }),
  ),
})

/** What a linkage changed against the one before it. */
export type Change = z.infer<typeof changeSchema>

const tableSchema = z.strictObject({
  table: z.string(),
  /** Typed rows; those of persons in the cohort, of persons outside it, and of serials that no key named. */
  rows: countSchema,
  kept: countSchema,
  outside: countSchema,
  unknown: countSchema,
})

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
  /** Agency → its title, and table as `tables.<name>`. */
  titles: z.record(z.string(), titleSchema),
  /** Code → meaning, of the catalogue's regions. */
  regions: z.record(z.string(), titleSchema),
  /** How keys were made: its version, and key type → fields of the message in order. */
  recipe: z.strictObject({
    version: z.string(),
    keyTypes: z.record(z.string(), z.array(z.string())),
  }),
  /** Pairs of numbers that agencies' notices joined, and those set aside. */
  notices: z.strictObject({ used: countSchema, setAside: countSchema }),
  flow: z.array(flowSchema),
  /** The same wave by wave. */
  waves: z.array(waveFlowSchema),
  /** Null until it is linked. */
  change: changeSchema.nullable(),
  /** Rows of the cohort's tables; empty until it is counted. */
  tables: z.array(tableSchema),
  /** Whose parts the data side counted, and when; null: not counted yet. */
  cohort: z.uuid().nullable(),
  countedAt: z.iso.datetime().nullable(),
  counts: qualityCountsSchema.nullable(),
})

export type QualityReport = z.infer<typeof qualityReportSchema>
