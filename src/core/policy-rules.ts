/**
 * What can happen to one column of a release: one entry a rule, with the columns it fits and what it makes of them. The
 * engine has one SQL expression for each (engine/rule-sql.ts).
 */
import { z } from 'zod'
import type { CatalogueColumn } from '../catalogue/schema.ts'

const whole = z.int().min(-1_000_000_000_000).max(1_000_000_000_000)
const bound = z.number().min(-1e12).max(1e12)
const value = z.string().min(1).max(200)
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/)

/** The schema of a rule. */
export const ruleSchema = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('keep') }),
  z.strictObject({ rule: z.literal('drop') }),
  /** The first characters of a code or text, dots not counted: C50.1 → C50. */
  z.strictObject({ rule: z.literal('truncate'), length: z.int().min(1).max(40) }),
  /** A whole number as its band, "40-44"; everything from `top` on as "85+". */
  z.strictObject({
    rule: z.literal('band'),
    width: z.int().min(2).max(1_000_000_000),
    top: z.int().min(0).max(1_000_000_000_000).exactOptional(),
  }),
  /** A date in the way of the whole release. */
  z.strictObject({ rule: z.literal('date') }),
  /** Each value as the list has it; what is not listed becomes missing, or stays if `others` says so. */
  z.strictObject({
    rule: z.literal('map'),
    codes: z
      .record(value, value)
      .refine((codes) => Object.keys(codes).length <= 20_000, 'too many codes'),
    others: z.enum(['missing', 'keep']).default('missing'),
  }),
  /** A number as the nearest multiple; halves away from zero. */
  z.strictObject({ rule: z.literal('round'), to: z.number().min(1e-6).max(1e12) }),
  /** A number below the bottom as the bottom, above the top as the top. */
  z.strictObject({
    rule: z.literal('clip'),
    bottom: bound.exactOptional(),
    top: bound.exactOptional(),
  }),
  /** The level of a hierarchy that the policy carries; what it does not list becomes missing. */
  z.strictObject({ rule: z.literal('hierarchy'), of: name, level: z.int().min(0).max(40) }),
  /** A region's code as its province: the first two digits. */
  z.strictObject({ rule: z.literal('region') }),
  /** A number as its group of equally many rows of the whole table, 1 to `groups`. */
  z.strictObject({ rule: z.literal('quantile'), groups: z.int().min(2).max(1_000) }),
  /**
   * A number of this release in place of an institution's, claim's or provider's. Columns of one `kind` stay joinable;
   * default: the column's role, or its name.
   */
  z.strictObject({ rule: z.literal('rekey'), kind: name.exactOptional() }),
])

/** What happens to one column. */
export type Rule = z.infer<typeof ruleSchema>

/** Frictionless field types. */
export type FieldType = 'string' | 'integer' | 'number' | 'date'

type Type = CatalogueColumn['type']

type Fit = {
  accepts: readonly Type[]
  /** What it makes of a column of the type; undefined: nothing leaves. */
  gives: (type: Type, dates: 'relative' | 'shift') => FieldType | undefined
}

const numbers = ['integer', 'decimal'] as const
const sameNumber = (type: Type): FieldType => (type === 'integer' ? 'integer' : 'number')

const fits = {
  // A date is not kept: one date in clear would undo the relative or shifted ones beside it.
  keep: {
    accepts: ['code', 'text', 'integer', 'decimal', 'year-month'],
    gives: (type) => (type === 'integer' ? 'integer' : type === 'decimal' ? 'number' : 'string'),
  },
  drop: {
    accepts: ['code', 'text', 'integer', 'decimal', 'date', 'year-month', 'timestamp'],
    gives: () => undefined,
  },
  truncate: { accepts: ['code', 'text', 'year-month'], gives: () => 'string' },
  band: { accepts: ['integer'], gives: () => 'string' },
  date: {
    accepts: ['date', 'timestamp'],
    gives: (_, dates) => (dates === 'shift' ? 'date' : 'integer'),
  },
  map: { accepts: ['code', 'text', 'integer', 'year-month'], gives: () => 'string' },
  round: { accepts: numbers, gives: sameNumber },
  clip: { accepts: numbers, gives: sameNumber },
  hierarchy: { accepts: ['code', 'text', 'integer', 'year-month'], gives: () => 'string' },
  region: { accepts: ['code'], gives: () => 'string' },
  quantile: { accepts: numbers, gives: () => 'integer' },
  rekey: { accepts: ['code', 'text'], gives: () => 'string' },
} as const satisfies Record<Rule['rule'], Fit>

/** Which columns a rule fits, and what it makes of them. */
export function fitOf(rule: Rule): Fit {
  return fits[rule.rule]
}

/** What is wrong with a rule's own numbers beside its column; undefined if nothing is. */
export function ruleFault(rule: Rule, column: CatalogueColumn): string | undefined {
  if (!fitOf(rule).accepts.includes(column.type)) return `rule does not fit ${column.type}`
  if (rule.rule === 'clip' && rule.bottom === undefined && rule.top === undefined) {
    return 'clip without a bound'
  }
  if (rule.rule === 'clip' && (rule.bottom ?? -Infinity) > (rule.top ?? Infinity)) {
    return 'bottom above top'
  }
  if (column.type === 'integer' && !hasWholeNumbers(rule)) return 'a whole number by a fraction'
  if (rule.rule === 'region' && column.role !== 'region') return 'the column is no region'
  return undefined
}

function hasWholeNumbers(rule: Rule): boolean {
  if (rule.rule === 'round') return whole.safeParse(rule.to).success
  if (rule.rule !== 'clip') return true
  return [rule.bottom ?? 0, rule.top ?? 0].every((number) => whole.safeParse(number).success)
}
