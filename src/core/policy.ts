/**
 * What may leave: a policy names tables and columns and gives each column a rule. Default deny: a table or column without a
 * rule does not leave, and a policy that names what does not exist, or a rule that does not fit its column, is refused
 * before anything is built (policy-check.ts). Which columns a release has, and of what type, follows from policy and
 * catalogue alone.
 */
import { z } from 'zod'
import type { Catalogue, CatalogueColumn } from '../catalogue/schema.ts'
import { Refusal } from './errors.ts'
import { hierarchyOf, levelOf } from './hierarchy.ts'
import { type FieldType, fitOf, type Rule, ruleSchema } from './policy-rules.ts'
import {
  anchorSchema,
  countTablesSchema,
  hierarchiesSchema,
  inclusionSchema,
  measuresSchema,
  personsSchema,
} from './policy-sections.ts'

export type { Rule } from './policy-rules.ts'

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
  /** Releases of one domain share pseudonyms and shifts. Default: a release is a domain of its own. */
  domain: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .exactOptional(),
  /**
   * `relative`: days since the person's first diagnosis, whose time is in the table of persons. `shift`: all dates of a
   * person moved by one number of weeks that nobody knows, between -26 and 26.
   */
  dates: z.enum(['relative', 'shift']),
  /** How much of the time of the first diagnosis the table of persons shows under `relative`. Default: the month. */
  diagnosisTime: z.enum(['month', 'year', 'none']).exactOptional(),
  anchors: z.array(anchorSchema).max(50).exactOptional(),
  formats: z
    .array(z.enum(['parquet', 'csv']))
    .min(1)
    .max(2)
    .default(['parquet']),
  /** Of CSV files. Default: UTF-8. CP949 is for old Korean tools; what it cannot hold refuses the release. */
  csvEncoding: z.enum(['utf-8', 'cp949']).exactOptional(),
  persons: personsSchema.exactOptional(),
  sensitive: z.strictObject({ include: z.array(inclusionSchema).max(20) }).exactOptional(),
  measures: measuresSchema.exactOptional(),
  hierarchies: hierarchiesSchema.exactOptional(),
  counts: countTablesSchema.exactOptional(),
  /** `none`: of the tables below nothing leaves but the tables of counts that are made of them. */
  microdata: z.literal('none').exactOptional(),
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
  type: FieldType
  /** Of `map` and `hierarchy`: what each listed value becomes. */
  lookup?: readonly (readonly [value: string, becomes: string])[]
  /** Of a shifted anchor: released days before or after become missing. */
  window?: { from?: string; to?: string }
  /** Its place among the quasi-identifiers of the policy: suppression may empty its cells. */
  quasiIdentifier?: number
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
  if (!known || !rules) throw policyRefused({ table, fault: 'unknown table' })
  return Object.entries(known.columns).flatMap(([name, column]) => {
    const rule = own(rules.columns, name)
    const type = rule && fitOf(rule).gives(column.type, policy.dates)
    const anchor = anchorOf(policy, table, name)
    if (!rule || !type || anchor?.action === 'remove') return []
    const lookup = lookupOf(policy, rule)
    const place = quasiIdentifierOf(policy, table, name)
    return [
      {
        name,
        rule,
        column,
        type,
        ...(lookup && { lookup }),
        ...(anchor && { window: windowOf(anchor) }),
        ...(place >= 0 && { quasiIdentifier: place }),
      },
    ]
  })
}

/** The place of a column among the quasi-identifiers of a policy, from 0; -1 if it is none. */
export function quasiIdentifierOf(policy: Policy, table: string, column: string): number {
  const named = policy.measures?.quasiIdentifiers ?? []
  return named.findIndex((other) => other.table === table && other.column === column)
}

/** What the table of persons shows of the first diagnosis. Shifted dates have no anchor to show. */
export function diagnosisTimeOf(policy: Policy): NonNullable<Policy['diagnosisTime']> {
  return policy.dates === 'shift' ? 'none' : (policy.diagnosisTime ?? 'month')
}

function anchorOf(policy: Policy, table: string, column: string) {
  if (policy.dates !== 'shift') return undefined
  return policy.anchors?.find((anchor) => anchor.table === table && anchor.column === column)
}

function windowOf({ from, to }: { from?: string; to?: string }): { from?: string; to?: string } {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

function lookupOf(policy: Policy, rule: Rule): ReleasedColumn['lookup'] {
  if (rule.rule === 'map') return Object.entries(rule.codes)
  if (rule.rule !== 'hierarchy') return undefined
  const hierarchy = own(policy.hierarchies ?? {}, rule.of)
  if (!hierarchy) throw policyRefused({ fault: 'unknown hierarchy' })
  return levelOf(hierarchyOf(hierarchy.csv, hierarchy.delimiter), rule.level)
}

/** A document's own entry: never one of the prototype, whatever it is called. */
export function own<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined
}

/** The refusal of a policy, before or while it is built; details are names, faults and counts. */
export function policyRefused(details: Record<string, string | number>): Refusal {
  return new Refusal(
    'policy-refused',
    'The policy does not fit the catalogue, or the data does not meet it. Correct what is named.',
    details,
  )
}
