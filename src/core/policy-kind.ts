/**
 * What the kind of a release asks of its policy. Kind A is microdata into a safe space. Kind B leaves such a space: tables
 * of counts, or rows of persons none of whom can be told from nine others.
 */
import { createHash } from 'node:crypto'
import type { Catalogue } from '../catalogue/schema.ts'
import { canonicalJson, type Json } from './canonical.ts'
import { own, type Policy, policyRefused, quasiIdentifierOf } from './policy.ts'
import { leaves } from './policy-leaves.ts'
import type { CountTable } from './policy-sections.ts'

/** Of kind B: fewest persons of a shown cell, of a class, and by which two releases of a domain differ. */
const least = 10

/** @throws {Refusal} `policy-refused` naming what the kind does not allow. */
export function checkKind(policy: Policy, catalogue: Catalogue): void {
  const { counts = {}, microdata, measures } = policy
  if (policy.type === 'A') {
    if (policy.counts === undefined && microdata === undefined) return
    throw policyRefused({ fault: 'tables of counts are of kind B' })
  }
  if (microdata === 'none' && Object.keys(counts).length === 0) {
    throw policyRefused({ fault: 'nothing leaves' })
  }
  if (microdata === undefined && measures === undefined) {
    throw policyRefused({ fault: 'rows of kind B without measures' })
  }
  if (measures !== undefined && Math.min(measures.k, measures.differenceMin ?? least) < least) {
    throw policyRefused({ fault: 'k below the least of kind B', least })
  }
  const seen = new Set<string>()
  for (const [name, asked] of Object.entries(counts)) {
    checkCounts(policy, catalogue, { name, asked })
    const dimensions = [refOf(asked.rows), refOf(asked.columns)].sort().join(' ')
    const same = `${asked.count} ${dimensions}`
    // Hidden in two ways, one would tell what the other hides.
    if (seen.has(same)) throw policyRefused({ counts: name, fault: 'the same table twice' })
    seen.add(same)
  }
}

/**
 * Names what a table of counts is of: equal for two tables, perhaps of two policies, that count the same by the same values.
 * Which persons and years are counted is not part of it, nor which of the two stands above.
 */
export function dimensionsOf(policy: Policy, asked: CountTable): string {
  const dimensions = [asked.rows, asked.columns].map((use) => dimensionOf(policy, use))
  return [asked.count, ...dimensions.sort()].join(' ')
}

/** Names one side of a table of counts: by which values of which column. */
export function dimensionOf(policy: Policy, { table, column, take }: CountTable['rows']): string {
  const rule = own(own(policy.tables, table)?.columns ?? {}, column)
  const hierarchy = rule?.rule === 'hierarchy' ? own(policy.hierarchies ?? {}, rule.of) : undefined
  const csv = hierarchy && createHash('sha256').update(hierarchy.csv).digest('hex')
  const { diagnosisTime = 'month' } = policy
  const value = rule ?? diagnosisTime
  return canonicalJson({ table, column, take, value, ...(csv && { csv }) } as Json)
}

function checkCounts(
  policy: Policy,
  catalogue: Catalogue,
  { name, asked }: { name: string; asked: CountTable },
): void {
  const { rows, columns, count, threshold } = asked
  if (threshold < least)
    throw policyRefused({ counts: name, fault: 'threshold below the least', least })
  if (refOf(rows) === refOf(columns))
    throw policyRefused({ counts: name, fault: 'a column by itself' })
  if (count === 'rows' && (rows.table !== columns.table || rows.table === 'persons')) {
    throw policyRefused({ counts: name, fault: 'rows of two tables' })
  }
  for (const { table, column } of [rows, columns]) {
    if (!leaves(policy, catalogue, table, column)) {
      throw policyRefused({ counts: name, table, column, fault: 'counted by what does not leave' })
    }
    if (own(own(catalogue.tables, table)?.columns ?? {}, column)?.type === 'text') {
      throw policyRefused({ counts: name, table, column, fault: 'counted by free text' })
    }
    if (own(own(policy.tables, table)?.columns ?? {}, column)?.rule === 'rekey') {
      throw policyRefused({
        counts: name,
        table,
        column,
        fault: 'counted by numbers of this release',
      })
    }
    // Rows beside a table would tell its hidden cells, unless there are no small ones among them.
    if (policy.microdata === undefined && quasiIdentifierOf(policy, table, column) < 0) {
      throw policyRefused({
        counts: name,
        table,
        column,
        fault: 'counted by what is no quasi-identifier',
      })
    }
  }
}

function refOf({ table, column }: { table: string; column: string }): string {
  return `${table}.${column}`
}
