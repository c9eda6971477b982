/**
 * What may leave: a policy names tables and columns and gives each column a rule. Default deny: a table or column without a
 * rule does not leave, and a policy that names what does not exist, or a rule that does not fit its column, is refused
 * before anything is built. Which columns a release has, and of what type, follows from policy and catalogue alone.
 */
import { z } from 'zod'
import type { Catalogue, CatalogueColumn } from '../catalogue/schema.ts'
import { Refusal } from './errors.ts'

const ruleSchema = z.discriminatedUnion('rule', [
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
])

/** What happens to one column. */
export type Rule = z.infer<typeof ruleSchema>

const yearSchema = z.int().min(1900).max(2200)

const policyTableSchema = z.strictObject({
  columns: z.record(z.string().max(63), ruleSchema),
  /** Rows of these years only, both included; the column is a date, a year-month, or a whole number that is a year. */
  where: z
    .strictObject({ column: z.string().max(63), fromYear: yearSchema, toYear: yearSchema })
    .exactOptional(),
})

/** The rules of one table. */
export type PolicyTable = z.infer<typeof policyTableSchema>

/** The schema of a policy document. Kind A: microdata into a named safe space. Kind B: results or extracts leaving one. */
export const policySchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  version: z.string().min(1).max(40),
  type: z.enum(['A', 'B']),
  /** Releases of one domain share pseudonyms. Default: a release is a domain of its own. */
  domain: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .exactOptional(),
  /** Days since the person's first diagnosis; the month of that diagnosis is in the table of persons. */
  dates: z.literal('relative'),
  formats: z
    .array(z.enum(['parquet', 'csv']))
    .min(1)
    .max(2)
    .default(['parquet']),
  tables: z.record(z.string().max(63), policyTableSchema),
})

/** A checked policy document, not yet held against a catalogue. */
export type Policy = z.infer<typeof policySchema>

/** A column of a release: its rule, and what a reader finds in it. */
export type ReleasedColumn = {
  name: string
  rule: Rule
  column: CatalogueColumn
  /** Frictionless field type. */
  type: 'string' | 'integer' | 'number'
}

type Fit = {
  accepts: readonly CatalogueColumn['type'][]
  /** What it makes of a column of the type; undefined: nothing leaves. */
  gives: (type: CatalogueColumn['type']) => ReleasedColumn['type'] | undefined
}

const fits = {
  // A date is not kept: one date in clear would undo the relative ones beside it.
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
  date: { accepts: ['date', 'timestamp'], gives: () => 'integer' },
} as const satisfies Record<Rule['rule'], Fit>

/**
 * Holds a policy against a catalogue.
 *
 * @throws {Refusal} `policy-refused` naming table, column and what is wrong.
 */
export function checkPolicy(policy: Policy, catalogue: Catalogue): void {
  if (Object.keys(policy.tables).length === 0) throw refused({ fault: 'no table' })
  for (const [table, { columns, where }] of Object.entries(policy.tables)) {
    const known = own(catalogue.tables, table)
    if (!known) throw refused({ table, fault: 'unknown table' })
    for (const [column, rule] of Object.entries(columns)) {
      const spec = own(known.columns, column)
      if (!spec) throw refused({ table, column, fault: 'unknown column' })
      if (!fitOf(rule).accepts.includes(spec.type)) {
        throw refused({ table, column, rule: rule.rule, fault: `rule does not fit ${spec.type}` })
      }
    }
    if (where) checkScope(table, where, own(known.columns, where.column))
  }
}

/**
 * The columns of a table that leave, in the catalogue's order; the pseudonym, which every table has first, is not among
 * them.
 *
 * @throws {Refusal} `policy-refused` when the policy does not name the table.
 */
export function releasedColumns(
  policy: Policy,
  catalogue: Catalogue,
  table: string,
): ReleasedColumn[] {
  const known = own(catalogue.tables, table)
  const rules = own(policy.tables, table)
  if (!known || !rules) throw refused({ table, fault: 'unknown table' })
  return Object.entries(known.columns).flatMap(([name, column]) => {
    const rule = own(rules.columns, name)
    const type = rule && fitOf(rule).gives(column.type)
    return rule && type ? [{ name, rule, column, type }] : []
  })
}

function fitOf(rule: Rule): Fit {
  return fits[rule.rule]
}

function checkScope(
  table: string,
  where: { column: string; fromYear: number; toYear: number },
  spec: CatalogueColumn | undefined,
): void {
  const { column } = where
  if (!spec) throw refused({ table, column, fault: 'unknown column' })
  if (!['date', 'year-month', 'integer', 'timestamp'].includes(spec.type)) {
    throw refused({ table, column, fault: 'years of a column without years' })
  }
  if (where.fromYear > where.toYear) throw refused({ table, column, fault: 'years end first' })
}

/** A document's own entry: never one of the prototype, whatever it is called. */
function own<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined
}

function refused(details: Record<string, string>): Refusal {
  return new Refusal(
    'policy-refused',
    'The policy does not fit the catalogue. Correct the table and column named.',
    details,
  )
}
