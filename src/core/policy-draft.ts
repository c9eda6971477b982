import type { Catalogue, CatalogueColumn } from '../catalogue/schema.ts'
import type { Policy, Rule } from './policy.ts'

const keptRoles: ReadonlySet<string> = new Set([
  'amount',
  'birth-year',
  'cancer-site',
  'department',
  'histology',
  'line-number',
  'place-of-death',
  'procedure',
  'drug',
  'sex',
  'special-benefit',
  'stage',
  'year',
])

/**
 * A policy to begin with: every table and column of a catalogue with the rule that its role and type suggest. Somebody who
 * knows the purpose then drops what it does not need. Numbers of institutions and claims and free text do not leave,
 * diagnoses leave as their three-character category, dates as days, regions as provinces, births as years.
 */
export function draftPolicy(
  catalogue: Catalogue,
  about: Pick<Policy, 'name' | 'version' | 'formats'>,
): Policy {
  const tables = Object.entries(catalogue.tables).map(([table, { columns }]) => {
    const rules = Object.entries(columns).map(([name, column]) => [name, ruleFor(column)])
    return [table, { columns: Object.fromEntries(rules) }]
  })
  return { ...about, type: 'A', dates: 'relative', tables: Object.fromEntries(tables) }
}

function ruleFor({ type, role, codes }: CatalogueColumn): Rule {
  if (type === 'date' || type === 'timestamp') return { rule: 'date' }
  if (type === 'text') return { rule: 'drop' }
  if (role === 'diagnosis' || role === 'secondary-diagnosis' || role === 'cause-of-death') {
    return { rule: 'truncate', length: 3 }
  }
  if (type === 'year-month') return { rule: 'truncate', length: 4 }
  if (role === 'region' && type === 'code') return { rule: 'region' }
  if (role === undefined ? isPlain(type, codes) : keptRoles.has(role)) return { rule: 'keep' }
  return { rule: 'drop' }
}

/** Without a role: a quantity, or a code of a short known list. */
function isPlain(type: CatalogueColumn['type'], codes: readonly string[] | undefined): boolean {
  return type === 'integer' || type === 'decimal' || codes !== undefined
}
