/**
 * What the data side tells of the quality of a linkage: counts only, small ones hidden. The key side and the page see this
 * and never a row.
 */
import { z } from 'zod'

/** By what link rates are told, as far as the roles of the catalogue supply it. */
export const dimensions = ['year', 'sex', 'age', 'region', 'site'] as const
export type Dimension = (typeof dimensions)[number]

/**
 * Why a number is missing. `few`: fewer delivered than the threshold; `few-linked`, `few-unlinked`: so of those;
 * `withheld`, `withheld-linked`: not small, but a small one would follow from it. Which numbers are missing is to be seen
 * from them: they are null.
 */
export const masks = [
  'none',
  'few',
  'few-linked',
  'few-unlinked',
  'withheld',
  'withheld-linked',
] as const
export type Mask = (typeof masks)[number]

const countSchema = z.int().min(0).nullable()
const shareSchema = z.number().min(0).max(1).nullable()

const rateCellSchema = z.strictObject({
  /** One value for each of `by`; `unknown` where the record does not say. */
  levels: z.array(z.string().max(80)).max(2),
  delivered: countSchema,
  linked: countSchema,
  mask: z.enum(masks),
  rate: shareSchema,
  /** Wilson, 95 %. */
  low: shareSchema,
  high: shareSchema,
})

/** A link rate: numerator, denominator, share and interval, or why not. */
export type RateCell = z.infer<typeof rateCellSchema>

const rateTableSchema = z.strictObject({
  /** `records`: of an agency's records, those linked. `spine`: of the spine's persons, those found in the agency. */
  basis: z.enum(['records', 'spine']),
  agency: z.string().max(32),
  /** None: the agency as a whole. */
  by: z.array(z.enum(dimensions)).max(2),
  cells: z.array(rateCellSchema).max(20_000),
})

/** Link rates of one agency by none, one or two dimensions. */
export type RateTable = z.infer<typeof rateTableSchema>

const differenceSchema = z.strictObject({
  agency: z.string().max(32),
  of: z.enum([...dimensions, 'birth-year']),
  /** Null for a mean. */
  level: z.string().max(80).nullable(),
  /** Share of the linked and of the unlinked records with this level, or means. */
  linked: z.number(),
  unlinked: z.number(),
  /** Standardised: (linked - unlinked) / pooled standard deviation. */
  difference: z.number(),
})

/** Linked records beside unlinked ones. */
export type Difference = z.infer<typeof differenceSchema>

/** What cannot be true of one person; it flags, and deletes nothing. */
export const checkRules = [
  'sex-differs',
  'birth-year-differs',
  'two-death-dates',
  'death-before-diagnosis',
  'service-after-death',
  'cancer-of-other-sex',
  'vaccination-before-rollout',
] as const
export type CheckRule = (typeof checkRules)[number]

const checkSchema = z.strictObject({
  rule: z.enum(checkRules),
  agency: z.string().max(32),
  /** By which the record was linked; null: all passes together. */
  pass: z.string().max(40).nullable(),
  /** Linked records of which this can be asked, and those of which it cannot be true. */
  compared: countSchema,
  flagged: countSchema,
  mask: z.enum(masks),
  share: shareSchema,
  low: shareSchema,
  high: shareSchema,
  /**
   * Records linked to somebody else, if every flag were one: flagged / the chance that two random persons of the spine
   * differ. Only of sex and birth year; too high by as many as are errors in the records themselves.
   */
  wrongAtMost: z.int().min(0).nullable(),
})

/** How often an implausibility was found. */
export type Check = z.infer<typeof checkSchema>

const overlapSchema = z.strictObject({
  /** Beside the spine, in the order of `agencies`; null: the pooled others. */
  agencies: z.array(z.string().max(32)).nullable(),
  persons: z.int().min(0),
})

/** Persons of the spine by the agencies that know them. */
export type Overlap = z.infer<typeof overlapSchema>

/** The document. */
export const qualityCountsSchema = z.strictObject({
  format: z.literal('gyeol-quality-counts-1'),
  threshold: z.int().min(1),
  spine: z.string().max(32),
  persons: z.int().min(0),
  agencies: z.array(z.string().max(32)).max(60),
  rates: z.array(rateTableSchema),
  differences: z.array(differenceSchema),
  checks: z.array(checkSchema),
  overlap: z.array(overlapSchema),
})

export type QualityCounts = z.infer<typeof qualityCountsSchema>
